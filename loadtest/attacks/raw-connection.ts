import { connect } from "node:net";
import { setTimeout as delay } from "node:timers/promises";

/** A bare socket of a client without manners. */
export interface RawConnection {
  write(bytes: Buffer | string): void;
  /** What has come, as Latin-1; the first 256 KiB of it. */
  received(): string;
  isOpen(): boolean;
  /** Whether the server ended it within that time. */
  endsWithin(ms: number): Promise<boolean>;
  /** Reads nothing any more. */
  pause(): void;
  /** Ends it with RST instead of FIN. */
  reset(): void;
  destroy(): void;
}

const keptBytes = 262_144;

/** @param localAddress one of 127.0.0.0/8: each has ephemeral ports of its own. @throws where nobody listens. */
export async function openRaw(port: number, localAddress = "127.0.0.1"): Promise<RawConnection> {
  const socket = connect({ port, host: "127.0.0.1", localAddress });
  let received = "";
  socket.on("data", (chunk) => {
    if (received.length < keptBytes) received += chunk.toString("latin1");
  });
  const ended = new Promise<true>((resolve) => socket.once("close", () => resolve(true)));
  await new Promise<void>((resolve, reject) => {
    socket.once("connect", () => resolve());
    socket.on("error", reject);
  });
  return {
    write: (bytes) => void socket.write(typeof bytes === "string" ? Buffer.from(bytes, "latin1") : bytes),
    received: () => received,
    isOpen: () => !socket.destroyed,
    endsWithin: (ms) => Promise.race([ended, delay(ms, false, { ref: false })]),
    pause: () => void socket.pause(),
    reset: () => void socket.resetAndDestroy(),
    destroy: () => void socket.destroy(),
  };
}

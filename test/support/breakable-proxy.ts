import { connect, createServer, type Socket } from "node:net";

/** A loopback port in front of another, for what a network does to connections that nobody ended. */
export interface BreakableProxy {
  readonly port: number;
  /** Nothing passes in either direction, and nobody is told. */
  stall(): void;
  /** Connections that stalled are gone; new ones pass. */
  heal(): void;
  /** From the next bytes towards the other port that hold `text` on, nothing comes back on their connection, until `release`. */
  holdAnswersTo(text: string): { readonly holds: Promise<void>; release(): void };
  close(): void;
}

export function breakableProxy(toPort: number): Promise<BreakableProxy> {
  const open = new Set<Socket>();
  let stalled = false;
  let awaited: { readonly text: string; held(near: Socket): void } | undefined;
  const kept = new Map<Socket, Buffer[]>();
  const server = createServer((near) => {
    const far = connect(toPort, "127.0.0.1");
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      open.add(from);
      from.on("data", (bytes) => {
        if (stalled) return;
        if (from === near && awaited !== undefined && bytes.includes(awaited.text)) awaited.held(near);
        const waiting = from === far ? kept.get(near) : undefined;
        if (waiting === undefined) to.write(bytes);
        else waiting.push(bytes);
      });
      from.on("error", () => undefined);
      from.on("close", () => {
        open.delete(from);
        to.destroy();
      });
    }
  });
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as { port: number };
      resolve({
        port,
        stall() {
          stalled = true;
        },
        heal() {
          stalled = false;
          for (const socket of open) socket.destroy();
        },
        holdAnswersTo(text) {
          const { promise, resolve: holds } = Promise.withResolvers<void>();
          awaited = {
            text,
            held(near) {
              awaited = undefined;
              kept.set(near, []);
              holds();
            },
          };
          return {
            holds: promise,
            release() {
              for (const [near, bytes] of kept) near.write(Buffer.concat(bytes));
              kept.clear();
            },
          };
        },
        close() {
          server.close();
          for (const socket of open) socket.destroy();
        },
      });
    });
  });
}

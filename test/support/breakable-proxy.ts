import { connect, createServer, type Socket } from "node:net";

/** A loopback port in front of another, for what a network does to connections that nobody ended. */
export interface BreakableProxy {
  readonly port: number;
  /** Nothing passes in either direction, and nobody is told. */
  stall(): void;
  /** Connections that stalled are gone; new ones pass. */
  heal(): void;
  close(): void;
}

export function breakableProxy(toPort: number): Promise<BreakableProxy> {
  const open = new Set<Socket>();
  let stalled = false;
  const server = createServer((near) => {
    const far = connect(toPort, "127.0.0.1");
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      open.add(from);
      from.on("data", (bytes) => {
        if (!stalled) to.write(bytes);
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
        close() {
          server.close();
          for (const socket of open) socket.destroy();
        },
      });
    });
  });
}

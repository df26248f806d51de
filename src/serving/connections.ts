import type { Server, Socket } from "node:net";

/** Between two looks at the connections of a port; a peer is given up this much late at most. */
const lookMs = 1_000;

/**
 * The open connections of a port. One whose peer takes nothing any more is cut off: Node waits for ever for a peer that
 * does not read its answer, or that does not close after we have.
 * @param unreadMsMax how long bytes, or our end of the connection, may wait without the peer's taking any.
 */
export function watchConnections(server: Server, unreadMsMax: number): ReadonlySet<Socket> {
  const open = new Set<Socket>();
  /** What had been taken when some more last was, in bytes, and when that was, ms; of those for whom something waits. */
  const waiting = new WeakMap<Socket, { readonly taken: number; readonly since: number }>();
  server.on("connection", (socket: Socket) => {
    open.add(socket);
    socket.once("close", () => open.delete(socket));
  });
  // The system has no descriptor left for a connection: its client opens another.
  server.on("error", () => undefined);
  const timer = setInterval(() => {
    const now = performance.now();
    for (const socket of open) {
      if (socket.writableLength === 0 && !socket.writableEnded) {
        waiting.delete(socket);
        continue;
      }
      // Who is slow, or asks on before all is read, has something waiting at every look.
      const taken = socket.bytesWritten - socket.writableLength;
      const before = waiting.get(socket);
      if (before === undefined || taken > before.taken) waiting.set(socket, { taken, since: now });
      else if (now - before.since >= unreadMsMax) socket.destroy();
    }
  }, lookMs).unref();
  server.once("close", () => clearInterval(timer));
  return open;
}

import type { Server, Socket } from "node:net";

/** Between two looks at the connections of a port; a peer is given up this much late at most. */
const lookMs = 1_000;

/**
 * The open connections of a port. One whose peer takes nothing any more is cut off: Node waits for ever for a peer that
 * does not read its answer, or that does not close after we have.
 * @param unreadMsMax how long bytes, or our end of the connection, may wait for the peer.
 */
export function watchConnections(server: Server, unreadMsMax: number): ReadonlySet<Socket> {
  const open = new Set<Socket>();
  const unreadSince = new WeakMap<Socket, number>();
  server.on("connection", (socket: Socket) => {
    open.add(socket);
    socket.once("close", () => open.delete(socket));
  });
  // The system has no descriptor left for a connection: its client opens another.
  server.on("error", () => undefined);
  const timer = setInterval(() => {
    const now = performance.now();
    for (const socket of open) {
      if (socket.writableLength === 0 && !socket.writableEnded) unreadSince.delete(socket);
      else if (now - (unreadSince.get(socket) ?? now) >= unreadMsMax) socket.destroy();
      else if (!unreadSince.has(socket)) unreadSince.set(socket, now);
    }
  }, lookMs).unref();
  server.once("close", () => clearInterval(timer));
  return open;
}

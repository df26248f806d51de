import type { Server } from "node:http";
import type { Socket } from "node:net";

/** Whether nothing has come on a connection yet: a client opened it ahead of its first request. */
export function isSilent(socket: Socket): boolean {
  return socket.bytesRead === 0;
}

/** Node counts a silent connection as busy, so that `closeIdleConnections` would leave it open until the grace. */
export function trackSilentConnections(server: Server): { close(): void } {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  return {
    close() {
      for (const socket of sockets) if (isSilent(socket)) socket.destroy();
    },
  };
}

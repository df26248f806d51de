import type { Socket } from "node:net";

/** Whether nothing has come on a connection yet: a client opened it ahead of its first request. */
export function isSilent(socket: Socket): boolean {
  return socket.bytesRead === 0;
}

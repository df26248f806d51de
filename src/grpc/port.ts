import { lookup } from "node:dns/promises";
import { once } from "node:events";
import { type AddressInfo, createServer, type Server as TcpServer } from "node:net";
import { type Server, ServerCredentials } from "@grpc/grpc-js";
import { watchConnections } from "../serving/connections.ts";
import type { ConnectionRules } from "./connection-rules.ts";

export interface Port {
  readonly port: number;
  /**
   * Takes no new connection; resolves once those that there are have ended. The gRPC server ends them in order, and
   * waits only for those that came through ports of its own.
   */
  close(): Promise<void>;
  /** Cuts off every connection: a peer that does not close its end would be waited for without end. */
  cut(): void;
}

/**
 * Opens a port and hands its connections to the gRPC server. grpc-js 1.14 can open one itself, but without a limit of
 * connections, without SO_REUSEPORT, and without letting go of sockets whose peer does not close.
 * @param shared with other processes that say so too.
 * @throws {Error} where an address of `host` cannot be listened on.
 */
export async function openPort(
  server: Server,
  host: string,
  port: number,
  shared: boolean,
  { connectionsMax, unreadMsMax }: Pick<ConnectionRules, "connectionsMax" | "unreadMsMax">,
): Promise<Port> {
  const injector = server.createConnectionInjector(ServerCredentials.createInsecure());
  const doors: TcpServer[] = [];
  const sockets: ReturnType<typeof watchConnections>[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(doors.map((door) => new Promise<void>((resolve) => door.close(() => resolve()))));
  };
  let bound = port;
  try {
    // All that the name stands for, as grpc-js does: localhost may be two addresses.
    for (const { address } of await lookup(host, { all: true })) {
      const door = createServer({ noDelay: true }, (socket) => injector.injectConnection(socket));
      door.maxConnections = connectionsMax;
      doors.push(door);
      door.listen({ host: address, port: bound, ...(shared && { reusePort: true }) });
      await once(door, "listening");
      sockets.push(watchConnections(door, unreadMsMax));
      bound = (door.address() as AddressInfo).port;
    }
  } catch (error) {
    await close();
    throw error;
  }
  return {
    port: bound,
    close,
    cut() {
      for (const socket of sockets.flatMap((open) => [...open])) socket.destroy();
    },
  };
}

import { lookup } from "node:dns/promises";
import { once } from "node:events";
import { type AddressInfo, createServer, type Server as TcpServer } from "node:net";
import { type Server, ServerCredentials } from "@grpc/grpc-js";

export interface SharedPort {
  readonly port: number;
  /**
   * Takes no new connection; resolves once those that there are have ended. The gRPC server ends them in order, and
   * waits only for those that came through ports of its own.
   */
  close(): Promise<void>;
}

/**
 * Opens a port that other processes may open too, and hands its connections to the gRPC server, which opens none but
 * ports of its own (grpc-js 1.14 passes SO_REUSEPORT to nobody).
 * @throws {Error} where an address of `host` cannot be listened on.
 */
export async function openSharedPort(server: Server, host: string, port: number): Promise<SharedPort> {
  const injector = server.createConnectionInjector(ServerCredentials.createInsecure());
  const doors: TcpServer[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(doors.map((door) => new Promise<void>((resolve) => door.close(() => resolve()))));
  };
  let bound = port;
  try {
    // All that the name stands for, as grpc-js does: localhost may be two addresses.
    for (const { address } of await lookup(host, { all: true })) {
      const door = createServer({ noDelay: true }, (socket) => injector.injectConnection(socket));
      doors.push(door);
      door.listen({ host: address, port: bound, reusePort: true });
      await once(door, "listening");
      bound = (door.address() as AddressInfo).port;
    }
  } catch (error) {
    await close();
    throw error;
  }
  return { port: bound, close };
}

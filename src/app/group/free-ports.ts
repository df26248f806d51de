import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { listenError } from "../../serving/listen-error.ts";
import type { Ports } from "../answering.ts";

/**
 * The ports that several processes will open together: the kernel lets anyone of the same user join who shares a port,
 * another server too. So each is opened once by us alone, which fails where anyone has it, and is closed again.
 * @throws {SetlistError} UNAVAILABLE where a port cannot be had.
 */
export async function freePorts(host: string, { httpPort, grpcPort }: Ports): Promise<Ports> {
  const http = await opened("http", host, httpPort);
  const grpc = await opened("grpc", host, grpcPort);
  await Promise.all([http.close(), grpc.close()]);
  return { httpPort: http.port, grpcPort: grpc.port };
}

async function opened(
  door: "http" | "grpc",
  host: string,
  port: number,
): Promise<{ port: number; close: () => Promise<void> }> {
  const server = createServer();
  try {
    server.listen(port, host);
    await once(server, "listening");
  } catch (error) {
    throw listenError(door, host, port, error);
  }
  return {
    port: (server.address() as AddressInfo).port,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

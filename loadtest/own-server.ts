import {
  type ServerProcess,
  type ServerProcessOptions,
  startServerProcess,
} from "../src/app/server-process.ts";

/** A server of our own, stopped with `opened`. */
export async function startOwnServer(
  opened: AsyncDisposableStack,
  options: ServerProcessOptions,
): Promise<ServerProcess> {
  return opened.adopt(await startServerProcess(options), async (server) => void (await server.stop()));
}

/** The servers that are compared, each in a process of its own and asked over HTTP. */
import { startPortProcess } from "./asked-process.ts";
import type { ServerName } from "./bench-scenarios.ts";
import { startFastapiServer } from "./fastapi/fastapi-server.ts";
import { startOwnServer } from "./own-server.ts";
import { scratchFolder } from "./scratch-folder.ts";

/** Starts one and answers with its address; it ends with `opened`. */
export async function startContestant(server: ServerName, opened: AsyncDisposableStack): Promise<string> {
  if (server === "setlist") {
    const dataDir = await scratchFolder("compared", opened);
    const { httpPort } = await startOwnServer(opened, { dataDir });
    return `http://127.0.0.1:${httpPort}`;
  }
  const starting = server === "plain" ? startPortProcess("plain-server.ts") : startFastapiServer();
  const { httpPort } = opened.adopt(await starting, (it) => it.close());
  return `http://127.0.0.1:${httpPort}`;
}

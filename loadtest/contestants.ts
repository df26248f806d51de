/** The servers that are compared, each in a process of its own and asked over HTTP. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startServerProcess } from "../src/app/server-process.ts";
import { startPortProcess } from "./asked-process.ts";
import type { ServerName } from "./bench-scenarios.ts";
import { startFastapiServer } from "./fastapi/fastapi-server.ts";

/** Starts one and answers with its address; it ends with `opened`. */
export async function startContestant(server: ServerName, opened: AsyncDisposableStack): Promise<string> {
  if (server === "setlist") {
    const dataDir = await mkdtemp(join(tmpdir(), "setlist-compared-"));
    opened.defer(() => rm(dataDir, { recursive: true, force: true }));
    const { httpPort } = opened.adopt(await startServerProcess({ dataDir }), (it) =>
      it.stop().then(() => {}),
    );
    return `http://127.0.0.1:${httpPort}`;
  }
  const starting = server === "plain" ? startPortProcess("plain-server.ts") : startFastapiServer();
  const { httpPort } = opened.adopt(await starting, (it) => it.close());
  return `http://127.0.0.1:${httpPort}`;
}

/** The forms of the outcome log as a server starts them: one's own, and that of another process. */
import { duplexPair } from "node:stream";
import { RemoteLog, serveLog } from "../../src/outcomes/outcomes.ts";
import type { StartLog } from "../contract/outcome-log.ts";
import { openTestLog } from "./outcomes-log.ts";

export const startLocalLog: StartLog = async (directory, disk) => {
  const log = await openTestLog(directory, { disk });
  return { log, end: () => log.close() };
};

export const startRemoteLog: StartLog = async (directory, disk) => {
  const log = await openTestLog(directory, { disk });
  const [mine, theirs] = duplexPair();
  serveLog(log, theirs);
  const remote = new RemoteLog(mine, () => undefined);
  const end = async () => {
    await remote.close();
    await log.close();
  };
  return { log: remote, end };
};

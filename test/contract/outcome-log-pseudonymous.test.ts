import { PseudonymousLog } from "../../src/outcomes/outcomes.ts";
import { startLocalLog, startRemoteLog } from "../support/started-logs.ts";
import { outcomeLogContract, type StartLog } from "./outcome-log.ts";

const pseudonymous =
  (start: StartLog): StartLog =>
  async (directory, disk) => {
    const { log, end } = await start(directory, disk);
    return { log: new PseudonymousLog(log, "0123456789abcdef0123456789abcdef"), end };
  };

outcomeLogContract("pseudonyms in the log of one process", pseudonymous(startLocalLog));
outcomeLogContract("pseudonyms in the log of another process", pseudonymous(startRemoteLog));

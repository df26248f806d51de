import { join } from "node:path";
import { type LogVerification, verifyLog } from "../outcomes/outcomes.ts";

export type { LogVerification } from "../outcomes/outcomes.ts";

/** Checks every record of the log in a data directory; changes nothing. A log that does not exist yet is empty. */
export function verifyDataDirectory(dataDir: string): Promise<LogVerification> {
  return verifyLog(join(dataDir, "log"));
}

import { existsSync } from "node:fs";
import { type LogVerification, verifyLog } from "../../outcomes/outcomes.ts";
import { existingDataDirectory, foldersOf } from "./data-directory.ts";
import { withStorageSentences } from "./storage-failure.ts";

export type { LogVerification } from "../../outcomes/outcomes.ts";

/** Whether there is anything to check: a wrong folder looks like a log without records. */
export function hasLog(dataDir: string): boolean {
  return existsSync(foldersOf(existingDataDirectory(dataDir)).log);
}

/**
 * Checks every record of the log in a data directory; changes nothing. A log that does not exist yet is empty.
 * @throws {SetlistError} NOT_FOUND where there is no such directory; UNAVAILABLE where the system refuses.
 */
export async function verifyDataDirectory(dataDir: string): Promise<LogVerification> {
  const log = foldersOf(existingDataDirectory(dataDir)).log;
  return withStorageSentences(dataDir, () => verifyLog(log));
}

import { readdir, realpath } from "node:fs/promises";
import { basename, dirname, join, relative, resolve } from "node:path";
import { makeDurably } from "../../columnar/durable-files.ts";
import { rememberedSalts } from "../../columnar/marker.ts";
import { UsageError } from "../../domain/error.ts";
import { type LogSalvage, salvageLog, unfinishedLog } from "../../outcomes/outcomes.ts";
import { existingLog, foldersOf } from "./data-directory.ts";
import { withStorageSentences } from "./storage-failure.ts";

export type { LogSalvage, SegmentLoss } from "../../outcomes/outcomes.ts";

/**
 * Writes every good record of a data directory's log into a new log below `into`; changes nothing of the old one.
 * @throws {SetlistError} `UsageError` where `into` holds something, or lies in the log; NOT_FOUND where there is no log;
 *   UNAVAILABLE where the system refuses.
 */
export async function salvageDataDirectory(options: {
  readonly dataDir: string;
  readonly into: string;
  readonly onProgress?: (done: number, of: number) => void;
}): Promise<LogSalvage> {
  const { dataDir, into, onProgress } = options;
  const directory = existingLog(dataDir);
  const inside = relative(await realPlace(directory), await realPlace(into));
  if (!inside.startsWith("..")) throw new UsageError(`--salvage: ${into} lies in the log that is damaged`);
  return withStorageSentences(into, async () => {
    await makeDurably(into);
    // What an attempt left that failed half-way is made anew.
    const found = (await readdir(into)).find((name) => name !== unfinishedLog);
    if (found !== undefined) {
      throw new UsageError(`--salvage: expected a new or empty folder, but there is ${found} in ${into}`);
    }
    return salvageLog({
      directory,
      into,
      knownSalts: await rememberedSalts(foldersOf(dataDir).warehouse),
      onProgress,
    });
  });
}

/** Where a path leads to, links followed, also where its end is not there yet. */
async function realPlace(path: string): Promise<string> {
  const whole = resolve(path);
  const real = await realpath(whole).catch(() => undefined);
  if (real !== undefined || dirname(whole) === whole) return real ?? whole;
  return join(await realPlace(dirname(whole)), basename(whole));
}

import { readdir, readFile, realpath } from "node:fs/promises";
import { basename, dirname, join, relative, resolve } from "node:path";
import { makeDurably } from "../../columnar/durable-files.ts";
import { UsageError } from "../../domain/error.ts";
import { type LogSalvage, salvageLog, unfinishedLog } from "../../outcomes/outcomes.ts";
import { existingLog } from "./data-directory.ts";
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
    return salvageLog({ directory, into, knownSalts: await compactedSalts(dataDir), onProgress });
  });
}

/** Where a path leads to, links followed, also where its end is not there yet. */
async function realPlace(path: string): Promise<string> {
  const whole = resolve(path);
  const real = await realpath(whole).catch(() => undefined);
  if (real !== undefined || dirname(whole) === whole) return real ?? whole;
  return join(await realPlace(dirname(whole)), basename(whole));
}

/** By segment, the salts that the Parquet files' markers remember; what is no marker says nothing. */
async function compactedSalts(dataDir: string): Promise<Map<number, number>> {
  const salts = new Map<number, number>();
  const done = join(dataDir, "warehouse", "done");
  for (const name of await readdir(done).catch(() => [])) {
    const salt = saltOf(await readFile(join(done, name), "utf8").catch(() => ""));
    if (salt !== undefined) salts.set(Number.parseInt(name, 10), salt);
  }
  return salts;
}

function saltOf(marker: string): number | undefined {
  try {
    const { salt } = JSON.parse(marker) as { salt?: unknown };
    return typeof salt === "number" && Number.isInteger(salt) ? salt >>> 0 : undefined;
  } catch {
    return undefined;
  }
}

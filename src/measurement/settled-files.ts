/** Which files of a log an incremental analysis may keep what it read of, and which of them it has to read now. */
import { stat } from "node:fs/promises";
import { basename } from "node:path";
import type { LogSources } from "./dialect.ts";

export type ReadTable = "impressions" | "outcomes";

export interface SettledFile {
  readonly table: ReadTable;
  readonly path: string;
  /** Below the warehouse: a data directory may be moved. */
  readonly name: string;
  readonly segment: string;
  readonly size: number;
  readonly modified: number;
}

/** What a copy of a file may lose of its time. */
const copiedMs = 2_000;

export type KnownFile = Pick<SettledFile, "name" | "size" | "modified">;

/** A batch is a transaction, which a state that is made anew should not lose all at once, and fits in memory. */
const batchBytes = 256 * 2 ** 20;

const segmentOf = (path: string): string => basename(path, ".parquet");

/**
 * Files of the warehouse are settled, those of segments that stand before all others that are not in it; what is written
 * of those that are not is another file each time.
 */
export async function settledFiles(
  files: Pick<LogSources, ReadTable>,
  warehouse: string,
): Promise<{ readonly settled: readonly SettledFile[]; readonly tail: Pick<LogSources, ReadTable> }> {
  const tables = ["impressions", "outcomes"] as const;
  const isInWarehouse = (path: string): boolean => path.startsWith(`${warehouse}/`);
  const open = tables.flatMap((table) => files[table].filter((path) => !isInWarehouse(path)).map(segmentOf));
  const isSettled = (path: string): boolean =>
    isInWarehouse(path) && open.every((segment) => segmentOf(path) < segment);
  const settled = tables.flatMap((table) =>
    files[table].filter(isSettled).map(async (path): Promise<SettledFile> => {
      const { size, mtimeMs } = await stat(path);
      const name = path.slice(warehouse.length + 1);
      return { table, path, name, segment: segmentOf(path), size, modified: Math.floor(mtimeMs) };
    }),
  );
  const rest = (table: ReadTable): string[] => files[table].filter((path) => !isSettled(path));
  return {
    settled: await Promise.all(settled),
    tail: { impressions: rest("impressions"), outcomes: rest("outcomes") },
  };
}

/** What is new behind the known files; a sentence where those are not the beginning of the log any more. */
export function newFiles(
  settled: readonly SettledFile[],
  known: readonly KnownFile[],
): readonly SettledFile[] | string {
  const byName = new Map(settled.map((file) => [file.name, file]));
  let last = "";
  for (const { name, size, modified } of known) {
    const file = byName.get(name);
    if (file === undefined) return `${name} is gone`;
    if (file.size !== size || Math.abs(file.modified - modified) > copiedMs) return `${name} has changed`;
    byName.delete(name);
    if (file.segment > last) last = file.segment;
  }
  const fresh = [...byName.values()];
  const before = fresh.find(({ segment }) => segment <= last);
  return before === undefined ? fresh : `${before.name} was not there before what is behind it`;
}

/** Whole segments, in their order. */
export function batchesOf(files: readonly SettledFile[]): SettledFile[][] {
  const batches: SettledFile[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  let last: string | undefined;
  for (const file of files.toSorted((one, other) => (one.segment < other.segment ? -1 : 1))) {
    if (bytes >= batchBytes && file.segment !== last) {
      batches.push([]);
      bytes = 0;
    }
    batches.at(-1)?.push(file);
    bytes += file.size;
    last = file.segment;
  }
  return batches;
}

export function sourcesOf(files: readonly SettledFile[]): Pick<LogSources, ReadTable> {
  const of = (table: ReadTable): string[] =>
    files.filter((file) => file.table === table).map(({ path }) => path);
  return { impressions: of("impressions"), outcomes: of("outcomes") };
}

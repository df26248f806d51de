import { mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { literal, type Staging } from "./database.ts";

/** One table of a segment: the rows of each date become `<folder>/date=<date>/<segment>.parquet`. */
export interface Partitioned {
  /** Below the store's root; empty for the root itself. */
  readonly folder: string;
  /** As `partitionDate` names them. */
  readonly dates: readonly string[];
  /** The query for one date's rows, in their order. */
  readonly rows: (date: string) => string;
}

/** A segment's outcomes in one or two groups, each some MB: readers take a group at a time. */
const rowGroupRows = 491_520;
/** Texts that repeat have a dictionary; for scores, which do not, the attempt alone took a fifth of the time. */
const dictionaryMax = 10_000;

export function partitionPath(folder: string, date: string, file: string): string {
  return join(folder, `date=${date}`, file);
}

/** Writes the rows of a query to a file, which is replaced where there is one. */
export async function writeParquet(staging: Staging, rows: string, path: string): Promise<void> {
  await staging.run(
    `COPY (${rows}) TO ${literal(path)} (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE ${rowGroupRows}, DICTIONARY_SIZE_LIMIT ${dictionaryMax})`,
  );
}

/** Writes a segment's files as a store has them, for the moment: answers their paths below `root`. */
export async function writePartitions(
  staging: Staging,
  root: string,
  segment: string,
  tables: readonly Partitioned[],
): Promise<string[]> {
  const files: string[] = [];
  for (const { folder, dates, rows } of tables) {
    for (const date of dates) {
      const path = partitionPath(folder, date, `${segment}.parquet`);
      await mkdir(dirname(join(root, path)), { recursive: true });
      await writeParquet(staging, rows(date), join(root, path));
      files.push(path);
    }
  }
  return files;
}

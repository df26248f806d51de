import { readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Staging, withDatabase } from "./database.ts";
import { makeDurably, moveDurably, removeDurably } from "./durable-files.ts";
import { lockFolder } from "./folder-lock.ts";
import { type Marker, readMarkers } from "./marker.ts";
import { type Partitioned, partitionPath, writeParquet } from "./partition.ts";
import { makeReadersFile } from "./readers-lock.ts";

export interface ColumnarStore<Facts> {
  readonly done: ReadonlyMap<string, Marker<Facts>>;
  /** A database for one segment's rows, gone after `work`; what it needs of the disk is among the drafts. */
  stage<T>(work: (staging: Staging) => Promise<T>): Promise<T>;
  /**
   * Writes a segment's files and then its marker. Each file is written elsewhere, synced and moved to its place, so
   * whoever is killed leaves no marker; doing it again then replaces the same files.
   * @param source goes into the marker as JSON.
   */
  publish(
    staging: Staging,
    segment: { readonly name: string; readonly salt: number },
    tables: readonly Partitioned[],
    facts: Facts,
    source?: unknown,
  ): Promise<void>;
  /**
   * Removes a segment's rows: the marker says so first, then the files go, so whoever is killed leaves a segment without
   * rows and perhaps files that nobody reads, which the next call deletes. Nobody may be reading: see `lockReaders`.
   * @param facts what the marker keeps.
   */
  remove(segment: string, facts: Facts): Promise<void>;
  close(): void;
}

/** Files under way, and what a killed process left of them; no reader's pattern meets them. */
const draftFolder = ".draft";

/**
 * Opens the store at `root` for writing, made where it does not exist.
 * @param counts the facts that every marker has, all of them numbers.
 * @throws {SetlistError} ABORTED where another process writes there; INTERNAL for a marker that is none.
 */
export async function openColumnarStore<Facts extends object>(
  root: string,
  counts: readonly (keyof Facts & string)[],
): Promise<ColumnarStore<Facts>> {
  const drafts = join(root, draftFolder);
  await makeDurably(join(root, "done"));
  const lock = lockFolder(root);
  let staged = 0;
  try {
    await rm(drafts, { recursive: true, force: true });
    await makeDurably(drafts);
    const done = await readMarkers<Facts>(root, counts);
    await makeReadersFile(root);
    const mark = async (marker: Marker<Facts>): Promise<void> => {
      const draft = join(drafts, `${marker.segment}.json`);
      await writeFile(draft, `${JSON.stringify(marker)}\n`);
      await moveDurably(draft, join(root, "done", `${marker.segment}.json`));
      done.set(marker.segment, marker);
    };
    return {
      done,
      // Of two databases at once, one would remove the other's.
      stage: (work) => withDatabase({ overflow: join(drafts, `overflow-${staged++}`) }, work),
      async publish(staging, segment, tables, facts, source) {
        const files: string[] = [];
        const file = `${segment.name}.parquet`;
        for (const { folder, dates, rows } of tables) {
          await removeLeftOver(join(root, folder), file, dates);
          for (const date of dates) {
            const draft = join(drafts, file);
            await writeParquet(staging, rows(date), draft);
            const path = partitionPath(folder, date, file);
            await moveDurably(draft, join(root, path));
            files.push(path);
          }
        }
        await mark({ segment: segment.name, salt: segment.salt, files, facts, source });
      },
      async remove(segment, facts) {
        const before = done.get(segment);
        if (before === undefined) return;
        const removed = [...before.files, ...(before.removed ?? [])];
        if (removed.length > 0) await mark({ ...before, files: [], facts, removed });
        for (const file of removed) await removeDurably(join(root, file));
        await mark({ ...before, files: [], facts, removed: [] });
      },
      close: () => lock.release(),
    };
  } catch (error) {
    lock.release();
    throw error;
  }
}

/** An attempt that was killed may have left files for dates that this one does not have. */
async function removeLeftOver(folder: string, file: string, dates: readonly string[]): Promise<void> {
  for (const name of await readdir(folder).catch(() => [])) {
    if (name.startsWith("date=") && !dates.includes(name.slice("date=".length)))
      await removeDurably(join(folder, name, file));
  }
}

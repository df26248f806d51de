import { readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { SetlistError } from "../domain/error.ts";
import { makeDurably, moveDurably } from "./durable-files.ts";
import { lockFolder } from "./folder-lock.ts";
import { literal, type Staging } from "./staging.ts";

/** One table of a segment: the rows of each date become `<folder>/date=<date>/<segment>.parquet`. */
export interface Partitioned {
  /** Below the store's root; empty for the root itself. */
  readonly folder: string;
  readonly dates: readonly string[];
  /** The query for one date's rows, in their order. */
  readonly rows: (date: string) => string;
}

/** What a marker says: the segment is complete, and these are its files, below the root. */
export interface Marker<Facts> {
  readonly segment: string;
  /** The segment's own salt: a log that began again from number 1 is another log. */
  readonly salt: number;
  readonly files: readonly string[];
  readonly facts: Facts;
}

export interface ColumnarStore<Facts> {
  readonly done: ReadonlyMap<string, Marker<Facts>>;
  /**
   * Writes a segment's files and then its marker. Each file is written elsewhere, synced and moved to its place, so
   * whoever is killed leaves no marker; doing it again then replaces the same files.
   */
  publish(
    staging: Staging,
    segment: { readonly name: string; readonly salt: number },
    tables: readonly Partitioned[],
    facts: Facts,
  ): Promise<void>;
  close(): void;
}

/** Files under way; no reader's pattern meets them. */
const draftFolder = ".draft";

/**
 * Opens the store at `root` for writing, made where it does not exist.
 * @throws {SetlistError} ABORTED where another process writes there; INTERNAL for a marker that is none.
 */
export async function openColumnarStore<Facts>(root: string): Promise<ColumnarStore<Facts>> {
  const drafts = join(root, draftFolder);
  await makeDurably(join(root, "done"));
  const lock = lockFolder(root);
  try {
    await rm(drafts, { recursive: true, force: true });
    await makeDurably(drafts);
    const done = await readMarkers<Facts>(root);
    return {
      done,
      async publish(staging, segment, tables, facts) {
        const files: string[] = [];
        const file = `${segment.name}.parquet`;
        for (const { folder, dates, rows } of tables) {
          await removeLeftOver(join(root, folder), file, dates);
          for (const date of dates) {
            const draft = join(drafts, file);
            await staging.run(`COPY (${rows(date)}) TO ${literal(draft)} (FORMAT parquet, COMPRESSION zstd)`);
            const path = join(folder, `date=${date}`, file);
            await moveDurably(draft, join(root, path));
            files.push(path);
          }
        }
        const marker: Marker<Facts> = { segment: segment.name, salt: segment.salt, files, facts };
        const draft = join(drafts, `${segment.name}.json`);
        await writeFile(draft, `${JSON.stringify(marker)}\n`);
        await moveDurably(draft, join(root, "done", `${segment.name}.json`));
        done.set(segment.name, marker);
      },
      close: () => lock.release(),
    };
  } catch (error) {
    lock.release();
    throw error;
  }
}

async function readMarkers<Facts>(root: string): Promise<Map<string, Marker<Facts>>> {
  const done = new Map<string, Marker<Facts>>();
  for (const name of (await readdir(join(root, "done"))).sort()) {
    if (!/^\d+\.json$/.test(name)) continue;
    const path = join(root, "done", name);
    const marker = parseMarker<Facts>(await readFile(path, "utf8"), path);
    for (const file of marker.files) {
      if ((await stat(join(root, file)).catch(() => undefined)) === undefined)
        throw new SetlistError(
          "INTERNAL",
          `${join(root, file)} is missing, and ${path} says that it is complete: put it back, or remove the marker to have the segment done again`,
        );
    }
    done.set(marker.segment, marker);
  }
  return done;
}

function parseMarker<Facts>(text: string, path: string): Marker<Facts> {
  try {
    const marker = JSON.parse(text) as Marker<Facts>;
    if (typeof marker.segment === "string" && Array.isArray(marker.files)) return marker;
  } catch {
    // Said below.
  }
  throw new SetlistError(
    "INTERNAL",
    `${path}: expected a segment's marker; remove it to have the segment done again`,
  );
}

/** An attempt that was killed may have left files for dates that this one does not have. */
async function removeLeftOver(folder: string, file: string, dates: readonly string[]): Promise<void> {
  for (const name of await readdir(folder).catch(() => [])) {
    if (name.startsWith("date=") && !dates.includes(name.slice("date=".length)))
      await rm(join(folder, name, file), { force: true });
  }
}

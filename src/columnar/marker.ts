import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { SetlistError } from "../domain/error.ts";

/** What a marker says: the segment is complete, and these are its files, below the root. */
export interface Marker<Facts> {
  readonly segment: string;
  /** The segment's own salt: a log that began again from number 1 is another log. */
  readonly salt: number;
  readonly files: readonly string[];
  readonly facts: Facts;
  /** Where the rows came from, in the words of whoever published them. */
  readonly source?: unknown;
  /**
   * Where its rows are gone, by retention: the files that may still be there, none once they are deleted. The segment
   * stays done all the same.
   */
  readonly removed?: readonly string[];
}

/**
 * The markers below `root`, by segment; none where there is no store.
 * @param counts the facts that each has, all of them numbers.
 * @throws {SetlistError} INTERNAL for a file in `done` that is no marker, or whose segment's files are not all there.
 */
export async function readMarkers<Facts>(
  root: string,
  counts: readonly (keyof Facts & string)[],
): Promise<Map<string, Marker<Facts>>> {
  const done = new Map<string, Marker<Facts>>();
  for (const name of (await namesIn(join(root, "done"))).sort()) {
    const segment = markerName.exec(name)?.[1];
    if (segment === undefined) continue;
    const path = join(root, "done", name);
    const marker = parseMarker(await readFile(path, "utf8"), segment, counts);
    if (marker === undefined)
      throw new SetlistError(
        "INTERNAL",
        `${path}: expected the marker of segment ${segment}; remove it to have the segment done again`,
      );
    for (const file of marker.files) {
      if ((await stat(join(root, file)).catch(() => undefined)) === undefined)
        throw new SetlistError(
          "INTERNAL",
          `${join(root, file)} is missing, and ${path} says that it is complete: put it back, or remove the marker to have the segment done again`,
        );
    }
    done.set(segment, marker);
  }
  return done;
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}

/** The segments that have a marker, without a look at what it says. */
export async function markedSegments(root: string): Promise<ReadonlySet<string>> {
  const names = await namesIn(join(root, "done"));
  return new Set(names.flatMap((name) => markerName.exec(name)?.[1] ?? []));
}

/** By segment, the salts that the markers below `root` remember; what is no marker says nothing. */
export async function rememberedSalts(root: string): Promise<Map<number, number>> {
  const salts = new Map<number, number>();
  const done = join(root, "done");
  for (const name of await readdir(done).catch(() => [])) {
    const salt = saltOf(await readFile(join(done, name), "utf8").catch(() => ""));
    if (salt !== undefined) salts.set(Number.parseInt(name, 10), salt);
  }
  return salts;
}

function saltOf(text: string): number | undefined {
  const { salt } = (parseJson(text) ?? {}) as { salt?: unknown };
  return typeof salt === "number" && Number.isInteger(salt) ? salt >>> 0 : undefined;
}

const markerName = /^(\d+)\.json$/;

/** Undefined where the text is no marker of that segment. */
function parseMarker<Facts>(
  text: string,
  segment: string,
  counts: readonly (keyof Facts & string)[],
): Marker<Facts> | undefined {
  const marker = parseJson(text) as Partial<Marker<Partial<Record<string, unknown>>>> | null | undefined;
  const isMarker =
    marker?.segment === segment &&
    Number.isSafeInteger(marker.salt) &&
    areFilesOf(segment, marker.files) &&
    (marker.removed === undefined || areFilesOf(segment, marker.removed)) &&
    counts.every((count) => Number.isFinite(marker.facts?.[count]));
  return isMarker ? (marker as Marker<Facts>) : undefined;
}

/** As stores publish them: what a marker names is read as the segment's rows and deleted with them, so it is nothing else. */
const storedFile = /^(?:[a-z]+\/)?date=[\w-]+\/(\d+)\.parquet$/;

function areFilesOf(segment: string, value: unknown): boolean {
  return (
    Array.isArray(value) &&
    value.every((file) => typeof file === "string" && storedFile.exec(file)?.[1] === segment)
  );
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

import { mkdtemp } from "node:fs/promises";
import { join } from "node:path";
import {
  type Marker,
  readMarkers,
  shareReading,
  withDatabase,
  withTemporaryFolder,
  writePartitions,
} from "../columnar/columnar.ts";
import { SetlistError } from "../domain/error.ts";
import type { LogFiles, LogSegment } from "../domain/log-reading.ts";
import { type LogTable, logTables } from "./log-columns.ts";
import { checkSameLog } from "./log-markers.ts";
import { markerCounts, type SegmentFacts, stageSegment } from "./segment-rows.ts";

export interface LogFilesOptions {
  /** Lists the log anew each time. */
  readonly segments: () => Promise<readonly LogSegment[]>;
  readonly warehouse: string;
  /** For writing what is not compacted; as many as there are cores where undefined. */
  readonly threads?: number | undefined;
}

type Markers = ReadonlyMap<string, Marker<SegmentFacts>>;

/** A look at a log that segments are taken from as fast as it looks is not worth another one. */
const looksMax = 20;

/**
 * Calls `work` with the whole log as Parquet files. A segment that has been compacted is read as its files, any other is
 * written by the same code into a temporary folder, gone after `work`; so nothing in the log or the warehouse changes.
 * Safe while a server writes, and while compaction and retention run.
 * @throws {SetlistError} INTERNAL at a damaged record, or where the warehouse is of another log.
 */
export async function withLogFiles<T>(
  options: LogFilesOptions,
  work: (files: LogFiles) => Promise<T>,
): Promise<T> {
  return withTemporaryFolder("log", async (folder) => {
    /** The sealed segments that are written already: they never change. */
    const written = new Map<string, readonly string[]>();
    for (let look = 1; look <= looksMax; look++) {
      // In this order: what is not in the list any more, since it was compacted and then removed, has its marker by now.
      const listed = await options.segments();
      const reading = await shareReading(options.warehouse);
      try {
        const files = await lookAt(listed, { ...options, folder, written });
        if (files !== undefined) return await work(files);
      } finally {
        reading.release();
      }
    }
    throw new SetlistError("UNAVAILABLE", "segments of the log are taken away faster than they can be read");
  });
}

interface Look extends Pick<LogFilesOptions, "warehouse" | "threads"> {
  readonly folder: string;
  readonly written: Map<string, readonly string[]>;
}

/** Undefined where a segment was taken away meanwhile. */
async function lookAt(listed: readonly LogSegment[], look: Look): Promise<LogFiles | undefined> {
  const markers = await readMarkers<SegmentFacts>(look.warehouse, markerCounts);
  try {
    const own = await writeUnmarked(listed, markers, look);
    return logFiles([...marked(listed, markers, look.warehouse), ...own], missingBefore(markers));
  } catch (error) {
    if (error instanceof SetlistError && error.code === "NOT_FOUND") return undefined;
    throw error;
  }
}

function missingBefore(markers: Markers): number | undefined {
  const gone = [...markers.values()].filter(({ removed }) => removed !== undefined);
  return gone.length === 0 ? undefined : Math.max(...gone.map(({ facts }) => facts.lastAt ?? 0));
}

/** The files that markers name; of segments newer than those that were listed none, since others between may lack one. */
function marked(listed: readonly LogSegment[], markers: Markers, warehouse: string): string[] {
  const newest = listed.at(-1)?.name;
  return [...markers.values()]
    .filter(({ segment }) => newest === undefined || segment <= newest)
    .flatMap(({ files }) => files.map((file) => join(warehouse, file)));
}

/**
 * Newest first: what stands in the newest when it is opened was written after all that is then found in the ones before
 * it, so that the records are those of one moment, and an outcome is not there without its impression.
 */
async function writeUnmarked(
  listed: readonly LogSegment[],
  markers: Markers,
  { warehouse, folder, written, threads }: Look,
): Promise<string[]> {
  const files: string[] = [];
  for (const segment of listed.toReversed()) {
    const marker = markers.get(segment.name);
    if (marker !== undefined) await checkUnlessTaken(segment, marker, warehouse);
    else {
      const own = written.get(segment.name) ?? (await writeSegment(segment, folder, threads));
      if (segment.sealed) written.set(segment.name, own);
      files.push(...own);
    }
  }
  return files;
}

/** One that was taken away after it was compacted is of this log. */
async function checkUnlessTaken(
  segment: LogSegment,
  marker: Marker<SegmentFacts>,
  warehouse: string,
): Promise<void> {
  try {
    checkSameLog(warehouse, marker, await segment.salt());
  } catch (error) {
    if (!(error instanceof SetlistError && error.code === "NOT_FOUND")) throw error;
  }
}

/** Answers absolute paths. A folder a try: an open segment that is looked at again holds more. */
async function writeSegment(
  segment: LogSegment,
  folder: string,
  threads: number | undefined,
): Promise<readonly string[]> {
  const own = await mkdtemp(join(folder, `${segment.name}-`));
  return withDatabase({ overflow: join(own, "overflow"), threads }, async (staging) => {
    const { tables } = await stageSegment(staging, segment);
    const files = await writePartitions(staging, own, segment.name, tables);
    return files.map((file) => join(own, file));
  });
}

/** Sorted, so that the same log is read in the same order. */
function logFiles(files: readonly string[], missingBefore: number | undefined): LogFiles {
  const of = (table: LogTable): string[] =>
    files.filter((file) => file.split("/").at(-3) === table).sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
  const [impressions, outcomes, shadows, counterfactuals] = logTables.map(of) as [
    string[],
    string[],
    string[],
    string[],
  ];
  return { impressions, outcomes, shadows, counterfactuals, missingBefore };
}

/** `0000000012.parquet/date=2026-11-22`: by segment, then by date. */
function nameOf(file: string): string {
  return file.split("/").slice(-2).reverse().join("/");
}

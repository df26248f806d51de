import { stat } from "node:fs/promises";
import { join } from "node:path";
import { type ColumnarStore, lockReaders, type Marker } from "../columnar/columnar.ts";
import type { LogSegment } from "../domain/log-reading.ts";
import { counted } from "../domain/number-text.ts";
import type { SegmentFacts } from "./segment-rows.ts";

/** What may be kept of something: undefined for as long, or as much, as there is. */
interface Bounds {
  readonly ageMs?: number | undefined;
  readonly bytesMax?: number | undefined;
}

export interface RetentionRules {
  /** Of the log's segments. */
  readonly log: Bounds;
  /** Of the Parquet made of them. */
  readonly warehouse: Bounds;
  /** For how long an outcome is recognised when it comes again, ms: age alone deletes no segment that is younger. */
  readonly dedupeWindowMs: number;
  readonly now: () => number;
  /** The number of the last segment of which everything is shipped; left out where nothing ships the log. */
  readonly shippedThrough?: (() => Promise<number>) | undefined;
  /** What a bound costs, or why it cannot be kept. */
  readonly onWarning: (message: string) => void;
}

/** What was deleted. */
export interface Retained {
  readonly segments: number;
  readonly segmentBytes: number;
  /** Segments whose Parquet is gone. */
  readonly parquetSegments: number;
  readonly parquetBytes: number;
}

interface RetainOptions {
  readonly listed: readonly LogSegment[];
  readonly store: ColumnarStore<SegmentFacts>;
  readonly warehouse: string;
  readonly rules: RetentionRules;
}

/** Deletes what the rules say, oldest first. Undefined where that is nothing. */
export async function retain(options: RetainOptions): Promise<Retained | undefined> {
  const log = await retainSegments(options);
  const parquet = await retainParquet(options);
  if (log.count + parquet.count === 0) return undefined;
  return {
    segments: log.count,
    segmentBytes: log.bytes,
    parquetSegments: parquet.count,
    parquetBytes: parquet.bytes,
  };
}

interface Deleted {
  readonly count: number;
  readonly bytes: number;
}

/**
 * A segment goes once it is compacted and shipped, and is older than the age and than the window in which its outcomes
 * are recognised; where there are too many bytes, that window does not count. The newest sealed one always stays, so that
 * numbers go on where they were. The first that stays keeps all behind it.
 */
async function retainSegments({ listed, store, warehouse, rules }: RetainOptions): Promise<Deleted> {
  const { log, dedupeWindowMs, now, onWarning } = rules;
  if (log.ageMs === undefined && log.bytesMax === undefined) return { count: 0, bytes: 0 };
  const shipped = (await rules.shippedThrough?.()) ?? Number.POSITIVE_INFINITY;
  const sizes = await Promise.all(listed.map(sizeOf));
  let left = sizes.reduce((sum, bytes) => sum + bytes, 0);
  let count = 0;
  let forgotten = 0;
  const before = left;
  // One that is still being sealed may stand before others that are: numbers have no gaps.
  const open = listed.findIndex(({ sealed }) => !sealed);
  const oldest = open < 0 ? listed : listed.slice(0, open);
  for (const [place, segment] of oldest.slice(0, -1).entries()) {
    const marker = store.done.get(segment.name);
    if (marker === undefined) break;
    const age = now() - (await lastAtOf(warehouse, marker));
    const isOld = log.ageMs !== undefined && age >= Math.max(log.ageMs, dedupeWindowMs);
    const isTooMuch = log.bytesMax !== undefined && left > log.bytesMax;
    if (!isOld && !isTooMuch) break;
    if (Number(segment.name) > shipped) {
      if (isTooMuch)
        onWarning(
          `the log has ${left} bytes, more than log.retentionBytesMax (${log.bytesMax}), and segment ${segment.name} is not shipped yet: it stays`,
        );
      break;
    }
    if (!isOld && age < dedupeWindowMs) forgotten += 1;
    await segment.remove();
    left -= sizes[place] as number;
    count += 1;
  }
  if (forgotten > 0)
    onWarning(
      `log.retentionBytesMax (${log.bytesMax}) took ${counted(forgotten, "segment")} within log.dedupeWindow: ` +
        "one of their outcomes that is sent again is taken as new",
    );
  return { count, bytes: before - left };
}

/** Not while anybody reads there: then the next run does it. */
async function retainParquet({ store, warehouse, rules }: RetainOptions): Promise<Deleted> {
  const bounds = rules.warehouse;
  const unfinished = [...store.done.values()].filter(({ removed = [] }) => removed.length > 0);
  const hasBounds = bounds.ageMs !== undefined || bounds.bytesMax !== undefined;
  if (unfinished.length === 0 && !hasBounds) return { count: 0, bytes: 0 };
  const going = hasBounds ? await parquetTooOldOrTooMuch(store, warehouse, rules) : [];
  if (going.length + unfinished.length === 0) return { count: 0, bytes: 0 };
  const lock = lockReaders(warehouse);
  if (lock === undefined) return { count: 0, bytes: 0 };
  try {
    for (const { segment, facts } of unfinished) await store.remove(segment, facts);
    for (const { marker, lastAt } of going) await store.remove(marker.segment, { ...marker.facts, lastAt });
  } finally {
    lock.release();
  }
  return { count: going.length, bytes: going.reduce((sum, { bytes }) => sum + bytes, 0) };
}

async function parquetTooOldOrTooMuch(
  store: ColumnarStore<SegmentFacts>,
  warehouse: string,
  { warehouse: { ageMs, bytesMax }, now }: RetentionRules,
): Promise<{ marker: Marker<SegmentFacts>; lastAt: number; bytes: number }[]> {
  const there = [...store.done.values()].filter(({ removed }) => removed === undefined);
  const sizes = await Promise.all(
    there.map(async ({ files }) => {
      const stats = await Promise.all(files.map((file) => stat(join(warehouse, file))));
      return stats.reduce((sum, { size }) => sum + size, 0);
    }),
  );
  let left = sizes.reduce((sum, bytes) => sum + bytes, 0);
  const going = [];
  for (const [place, marker] of there.entries()) {
    const lastAt = await lastAtOf(warehouse, marker);
    const isOld = ageMs !== undefined && now() - lastAt >= ageMs;
    const isTooMuch = bytesMax !== undefined && left > bytesMax;
    if (!isOld && !isTooMuch) break;
    const bytes = sizes[place] as number;
    left -= bytes;
    going.push({ marker, lastAt, bytes });
  }
  return going;
}

/** A marker that does not say it was written some time after it. */
async function lastAtOf(warehouse: string, { segment, facts }: Marker<SegmentFacts>): Promise<number> {
  return facts.lastAt ?? (await stat(join(warehouse, "done", `${segment}.json`))).mtimeMs;
}

/** An open segment may be sealed, and so be called otherwise, or be given up meanwhile. */
async function sizeOf(segment: LogSegment): Promise<number> {
  return segment.sealed ? segment.size() : segment.size().catch(() => 0);
}

import { type ColumnarStore, openColumnarStore } from "../columnar/columnar.ts";
import type { LogSegment } from "../domain/log-reading.ts";
import { checkSameLog } from "./log-markers.ts";
import { type Retained, type RetentionRules, retain } from "./retention.ts";
import { markerCounts, type SegmentFacts, stageSegment } from "./segment-rows.ts";

/** What one compaction did; `segmentsOpen` wait until the server seals them. */
export interface Compaction {
  readonly segments: number;
  readonly segmentsDoneBefore: number;
  readonly segmentsOpen: number;
  readonly impressions: number;
  readonly outcomes: number;
  /** Comparisons with shadow models; undefined where there were none. */
  readonly shadows?: number;
  /** Comparisons with other arms, likewise. */
  readonly counterfactuals?: number;
  /** What retention deleted; undefined where it deleted nothing. */
  readonly retained?: Retained;
}

export interface CompactOptions {
  /** Lists the log anew each time. */
  readonly segments: () => Promise<readonly LogSegment[]>;
  readonly warehouse: string;
  /** What is deleted afterwards; nothing where undefined. */
  readonly retention?: RetentionRules | undefined;
  readonly onProgress?: ((done: number, of: number) => void) | undefined;
}

/**
 * Writes each sealed segment of the log as Parquet files below `warehouse`, exactly once, one after the other, and then
 * deletes what retention says; killed at any moment, the next run goes on with the segment it was in.
 * @throws {SetlistError} ABORTED where another process compacts; INTERNAL at a damaged record.
 */
export async function compactLog(options: CompactOptions): Promise<Compaction> {
  const { segments, warehouse, retention, onProgress } = options;
  const store = await openColumnarStore<SegmentFacts>(warehouse, markerCounts);
  try {
    const listed = await segments();
    const sealed = listed.filter((segment) => segment.sealed);
    const total = { segments: 0, segmentsDoneBefore: 0, impressions: 0, outcomes: 0 };
    let shadows = 0;
    let counterfactuals = 0;
    for (const [index, segment] of sealed.entries()) {
      const facts = await compactOnce(segment, store, warehouse);
      if (facts === undefined) total.segmentsDoneBefore += 1;
      else {
        total.segments += 1;
        total.impressions += facts.impressions;
        total.outcomes += facts.outcomes;
        shadows += facts.shadows;
        counterfactuals += facts.counterfactuals;
      }
      onProgress?.(index + 1, sealed.length);
    }
    const retained = retention && (await retain({ listed, store, warehouse, rules: retention }));
    return {
      ...total,
      segmentsOpen: listed.length - sealed.length,
      ...(shadows > 0 && { shadows }),
      ...(counterfactuals > 0 && { counterfactuals }),
      ...(retained !== undefined && { retained }),
    };
  } finally {
    store.close();
  }
}

/** Undefined where the segment was done before. */
async function compactOnce(
  segment: LogSegment,
  store: ColumnarStore<SegmentFacts>,
  warehouse: string,
): Promise<SegmentFacts | undefined> {
  const marker = store.done.get(segment.name);
  const salt = await segment.salt();
  if (marker !== undefined) {
    checkSameLog(warehouse, marker, salt);
    return undefined;
  }
  return store.stage(async (staging) => {
    const { tables, facts } = await stageSegment(staging, segment);
    await store.publish(staging, { name: segment.name, salt }, tables, facts);
    return facts;
  });
}

import { type ColumnarStore, openColumnarStore } from "../columnar/columnar.ts";
import { checkSameLog } from "./log-markers.ts";
import type { LogSegment } from "./ports.ts";
import { type SegmentFacts, stageSegment } from "./segment-rows.ts";

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
}

export interface CompactOptions {
  readonly segments: () => Promise<readonly LogSegment[]>;
  readonly warehouse: string;
  readonly onProgress?: ((done: number, of: number) => void) | undefined;
}

/**
 * Writes each sealed segment of the log as Parquet files below `warehouse`, exactly once, one after the other; killed at
 * any moment, it goes on with the segment it was in.
 * @throws {SetlistError} ABORTED where another process compacts; INTERNAL at a damaged record.
 */
export async function compactLog({ segments, warehouse, onProgress }: CompactOptions): Promise<Compaction> {
  const listed = await segments();
  const sealed = listed.filter((segment) => segment.sealed);
  const store = await openColumnarStore<SegmentFacts>(warehouse, markerCounts);
  try {
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
    return {
      ...total,
      segmentsOpen: listed.length - sealed.length,
      ...(shadows > 0 && { shadows }),
      ...(counterfactuals > 0 && { counterfactuals }),
    };
  } finally {
    store.close();
  }
}

/** Markers from before there were comparisons do not count them. */
export const markerCounts = ["impressions", "outcomes"] as const;

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

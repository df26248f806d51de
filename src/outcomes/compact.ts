import {
  type ColumnarStore,
  openColumnarStore,
  partitionDate,
  RowAppender,
  type Staging,
} from "../columnar/columnar.ts";
import { SetlistError } from "../domain/error.ts";
import {
  counterfactualTypes,
  counterfactualValues,
  impressionTypes,
  impressionValues,
  itemTypes,
  type LogTable,
  outcomeTypes,
  outcomeValues,
  shadowTypes,
  shadowValues,
  stagingTables,
  tablesOf,
} from "./log-columns.ts";
import { type SealedSegment, sealedSegments } from "./sealed-segments.ts";

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

export interface SegmentFacts {
  readonly impressions: number;
  readonly outcomes: number;
  readonly shadows: number;
  readonly counterfactuals: number;
}

/**
 * Writes each sealed segment of the log in `directory` as Parquet files below `warehouse`, exactly once, one after the
 * other; killed at any moment, it goes on with the segment it was in.
 * @throws {SetlistError} ABORTED where another process compacts; INTERNAL at a damaged record.
 */
export async function compactLog(options: {
  readonly directory: string;
  readonly warehouse: string;
  readonly onProgress?: ((done: number, of: number) => void) | undefined;
}): Promise<Compaction> {
  const { directory, warehouse, onProgress } = options;
  const { sealed, open } = await sealedSegments(directory);
  // Markers from before there were comparisons do not count them.
  const store = await openColumnarStore<SegmentFacts>(warehouse, ["impressions", "outcomes"]);
  try {
    const total = { segments: 0, segmentsDoneBefore: 0, segmentsOpen: open, impressions: 0, outcomes: 0 };
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
      ...(shadows > 0 && { shadows }),
      ...(counterfactuals > 0 && { counterfactuals }),
    };
  } finally {
    store.close();
  }
}

/** Undefined where the segment was done before. */
async function compactOnce(
  segment: SealedSegment,
  store: ColumnarStore<SegmentFacts>,
  warehouse: string,
): Promise<SegmentFacts | undefined> {
  const marker = store.done.get(segment.name);
  const salt = await segment.salt();
  if (marker !== undefined) {
    if (marker.salt === salt) return undefined;
    throw new SetlistError(
      "INTERNAL",
      `${warehouse} holds segment ${segment.name} of another log: give each log a data directory of its own, or move the folder away`,
    );
  }
  return store.stage(async (staging) => {
    const facts = { impressions: 0, outcomes: 0, shadows: 0, counterfactuals: 0 };
    const dates = {
      impressions: new Set<string>(),
      outcomes: new Set<string>(),
      shadows: new Set<string>(),
      counterfactuals: new Set<string>(),
    };
    const rows = await openRows(staging);
    for await (const records of segment.read()) {
      for (const record of records) {
        if (record.kind === "outcome") {
          const date = partitionDate(record.occurredAt);
          dates.outcomes.add(date);
          rows.outcomes.append([date, facts.outcomes++, ...outcomeValues(record)]);
          continue;
        }
        const date = partitionDate(record.at);
        if (record.kind === "shadow") {
          dates.shadows.add(date);
          rows.shadows.append([date, facts.shadows++, ...shadowValues(record)]);
          continue;
        }
        if (record.kind === "counterfactual") {
          dates.counterfactuals.add(date);
          rows.counterfactuals.append([date, facts.counterfactuals++, ...counterfactualValues(record)]);
          continue;
        }
        dates.impressions.add(date);
        const n = facts.impressions++;
        rows.impressions.append([date, n, ...impressionValues(record)]);
        for (const [place, { id, position, score }] of record.items.entries()) {
          const sent = record.sent?.items?.[place];
          rows.items.append([n, id, position, score, sent === undefined ? null : JSON.stringify(sent)]);
        }
      }
    }
    for (const appender of Object.values(rows)) appender.close();
    await store.publish(staging, { name: segment.name, salt }, tablesOf(dates), facts);
    return facts;
  });
}

async function openRows(staging: Staging): Promise<Record<LogTable | "items", RowAppender>> {
  for (const table of stagingTables) await staging.run(table);
  return {
    impressions: await RowAppender.open(staging, "impressions", impressionTypes),
    items: await RowAppender.open(staging, "items", itemTypes),
    outcomes: await RowAppender.open(staging, "outcomes", outcomeTypes),
    shadows: await RowAppender.open(staging, "shadows", shadowTypes),
    counterfactuals: await RowAppender.open(staging, "counterfactuals", counterfactualTypes),
  };
}

import { type Partitioned, partitionDate, RowAppender, type Staging } from "../columnar/columnar.ts";
import type { LogRecord } from "../domain/ports.ts";
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
import type { LogSegment } from "./ports.ts";

/** How many records of each kind a segment has. */
export interface SegmentFacts {
  readonly impressions: number;
  readonly outcomes: number;
  readonly shadows: number;
  readonly counterfactuals: number;
}

/** Reads a segment into `staging`; answers what is to be written of it, and what it holds. */
export async function stageSegment(
  staging: Staging,
  segment: Pick<LogSegment, "read">,
): Promise<{ readonly tables: readonly Partitioned[]; readonly facts: SegmentFacts }> {
  const rows = await SegmentRows.open(staging);
  for await (const records of segment.read()) for (const record of records) rows.append(record);
  rows.close();
  return { tables: tablesOf(rows.dates), facts: rows.facts };
}

class SegmentRows {
  readonly facts = { impressions: 0, outcomes: 0, shadows: 0, counterfactuals: 0 };
  readonly dates = {
    impressions: new Set<string>(),
    outcomes: new Set<string>(),
    shadows: new Set<string>(),
    counterfactuals: new Set<string>(),
  };
  readonly #rows: Readonly<Record<LogTable | "items", RowAppender>>;

  private constructor(rows: Readonly<Record<LogTable | "items", RowAppender>>) {
    this.#rows = rows;
  }

  static async open(staging: Staging): Promise<SegmentRows> {
    for (const table of stagingTables) await staging.run(table);
    return new SegmentRows({
      impressions: await RowAppender.open(staging, "impressions", impressionTypes),
      items: await RowAppender.open(staging, "items", itemTypes),
      outcomes: await RowAppender.open(staging, "outcomes", outcomeTypes),
      shadows: await RowAppender.open(staging, "shadows", shadowTypes),
      counterfactuals: await RowAppender.open(staging, "counterfactuals", counterfactualTypes),
    });
  }

  append(record: LogRecord): void {
    const { facts, dates } = this;
    const rows = this.#rows;
    if (record.kind === "outcome") {
      const date = partitionDate(record.occurredAt);
      dates.outcomes.add(date);
      rows.outcomes.append([date, facts.outcomes++, ...outcomeValues(record)]);
      return;
    }
    const date = partitionDate(record.at);
    if (record.kind === "shadow") {
      dates.shadows.add(date);
      rows.shadows.append([date, facts.shadows++, ...shadowValues(record)]);
      return;
    }
    if (record.kind === "counterfactual") {
      dates.counterfactuals.add(date);
      rows.counterfactuals.append([date, facts.counterfactuals++, ...counterfactualValues(record)]);
      return;
    }
    dates.impressions.add(date);
    const n = facts.impressions++;
    rows.impressions.append([date, n, ...impressionValues(record)]);
    for (const [place, { id, position, score }] of record.items.entries()) {
      const sent = record.sent?.items?.[place];
      rows.items.append([n, id, position, score, sent === undefined ? null : JSON.stringify(sent)]);
    }
  }

  close(): void {
    for (const appender of Object.values(this.#rows)) appender.close();
  }
}

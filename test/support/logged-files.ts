/** Records as the Parquet files that they become, for tests that need them without a server or its log. */
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { analyzeExperiment, type AnalysisReport } from "../../src/analysis/analysis.ts";
import { openColumnarStore, partitionDate, RowAppender } from "../../src/columnar/columnar.ts";
import type { Experiment } from "../../src/domain/experiment.ts";
import type { LogRecord } from "../../src/domain/ports.ts";
import * as columns from "../../src/outcomes/log-columns.ts";
import { temporaryFolder } from "./temporary-folder.ts";

/** Each list of records is a segment. Repeats stay, which a log's writer would have recognised. */
export async function loggedFiles(
  ...segments: readonly Iterable<LogRecord>[]
): Promise<{ readonly impressions: readonly string[]; readonly outcomes: readonly string[] }> {
  const root = await temporaryFolder();
  const store = await openColumnarStore<Record<string, number>>(root, []);
  for (const [index, records] of segments.entries()) {
    await store.stage(async (staging) => {
      for (const table of columns.stagingTables) await staging.run(table);
      const impressions = await RowAppender.open(staging, "impressions", columns.impressionTypes);
      const items = await RowAppender.open(staging, "items", columns.itemTypes);
      const outcomes = await RowAppender.open(staging, "outcomes", columns.outcomeTypes);
      const dates = { impressions: new Set<string>(), outcomes: new Set<string>() };
      let n = 0;
      for (const record of records) {
        if (record.kind === "outcome") {
          const date = partitionDate(record.occurredAt);
          dates.outcomes.add(date);
          outcomes.append([date, n++, ...columns.outcomeValues(record)]);
        } else if (record.kind === "impression") {
          const date = partitionDate(record.at);
          dates.impressions.add(date);
          for (const { id, position, score } of record.items) items.append([n, id, position, score, null]);
          impressions.append([date, n++, ...columns.impressionValues(record)]);
        }
      }
      for (const appender of [impressions, items, outcomes]) appender.close();
      const tables = columns.tablesOf({ ...dates, shadows: new Set(), counterfactuals: new Set() });
      await store.publish(staging, { name: String(index + 1).padStart(10, "0"), salt: 1 }, tables, {});
    });
  }
  store.close();
  const filesOf = async (folder: string): Promise<string[]> => {
    const names = await readdir(join(root, folder), { recursive: true }).catch(() => []);
    return names.filter((name) => name.endsWith(".parquet")).map((name) => join(root, folder, name));
  };
  return { impressions: await filesOf("impressions"), outcomes: await filesOf("outcomes") };
}

/** What an analysis says of a log of these records. */
export async function analysisOfRecords(
  experiment: Experiment,
  records: Iterable<LogRecord>,
  asOf: Date,
): Promise<AnalysisReport> {
  return analyzeExperiment({ experiment, files: await loggedFiles(records), alpha: 0.05, asOf });
}

/** Records as the Parquet files that they become, for tests that need them without a server or its log. */
import { join } from "node:path";
import { type AnalysisReport, analyzeExperiment } from "../../src/analysis/analysis.ts";
import type { DesignQuestions } from "../../src/designs/designs.ts";
import type { Experiment } from "../../src/domain/experiment.ts";
import type { LogFiles, LogSegment } from "../../src/domain/log-reading.ts";
import type { LogRecord } from "../../src/domain/outcome-log.ts";
import { compactLog, withLogFiles } from "../../src/warehouse/warehouse.ts";
import { temporaryFolder } from "./temporary-folder.ts";

/** Each list of records is a segment. Repeats stay, which a log's writer would have recognised. */
export async function withLoggedFiles<T>(
  segments: readonly (readonly LogRecord[])[],
  work: (files: LogFiles) => Promise<T>,
): Promise<T> {
  const warehouse = join(await temporaryFolder(), "warehouse");
  const listed = segments.map(segmentOf);
  return withLogFiles({ segments: async () => listed, warehouse }, work);
}

/** The same as a log that grows: its first `compacted` segments are compacted, and those up to `length` are there. */
export async function withGrowingLog<T>(
  { folder, segments }: { readonly folder: string; readonly segments: readonly (readonly LogRecord[])[] },
  { compacted, length }: { readonly compacted: number; readonly length: number },
  work: (files: LogFiles, warehouse: string) => Promise<T>,
): Promise<T> {
  const warehouse = join(folder, "warehouse");
  const listed = segments.map(segmentOf);
  await compactLog({ segments: async () => listed.slice(0, compacted), warehouse });
  return withLogFiles({ segments: async () => listed.slice(0, length), warehouse }, (files) =>
    work(files, warehouse),
  );
}

function segmentOf(records: readonly LogRecord[], index: number): LogSegment {
  return {
    name: String(index + 1).padStart(10, "0"),
    sealed: true,
    salt: async () => index,
    async *read() {
      if (records.length > 0) yield [...records];
    },
    size: async () => 0,
    remove: async () => undefined,
  };
}

/** What an analysis says of a log of these records, and of what else is asked of it. */
export function analysisOfRecords(
  experiment: Experiment,
  records: Iterable<LogRecord>,
  asOf: Date,
  designs?: DesignQuestions,
): Promise<AnalysisReport> {
  return withLoggedFiles([[...records]], (files) =>
    analyzeExperiment({ experiment, files, alpha: 0.05, asOf, designs }),
  );
}

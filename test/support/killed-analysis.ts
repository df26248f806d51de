/**
 * `node killed-analysis.ts FOLDER STATEMENT`: an incremental analysis of `growingSegments`, whose process is killed right
 * before its SQL statement of that number, counted from 1; it ends well where there are fewer.
 */
import { join } from "node:path";
import { DuckDBConnection } from "@duckdb/node-api";
import { type AnalysisReport, analyzeExperiment } from "../../src/analysis/analysis.ts";
import type { LogRecord } from "../../src/domain/outcome-log.ts";
import { experimentOf, impressionOf, outcomeOf } from "./log-records.ts";
import { withGrowingLog } from "./logged-files.ts";

const experiment = experimentOf({});
const asOf = new Date("2026-11-22T12:00:00.000Z");

/** Of each segment the outcomes answer the next one's requests, so that a state that has half of one is a wrong one. */
export const growingSegments: LogRecord[][] = [1, 2, 3, 4].map((segment) =>
  Array.from({ length: 10 }, (_, i): LogRecord[] => [
    impressionOf(`r${segment}-${i}`, `u${i}`, i % 2 === 0 ? "control" : "kd", ["t1"]),
    outcomeOf(`o${segment}-${i}`, `r${segment + 1}-${i}`, "t1"),
  ]).flat(),
);

/** Of the log's first `length` segments; incremental where told what is said of it. */
export function growingReport(
  folder: string,
  length: number,
  onNotice?: (sentence: string) => void,
): Promise<AnalysisReport> {
  const log = { folder, segments: growingSegments };
  return withGrowingLog(log, { compacted: length, length }, (files, warehouse) => {
    const states = { folder: join(folder, "analysis"), warehouse, experiments: [experiment.id] };
    const known = onNotice && { ...states, onNotice };
    return analyzeExperiment({ experiment, files, alpha: 0.05, asOf, states: known });
  });
}

if (import.meta.main) {
  const [folder = "", statement] = process.argv.slice(2);
  let left = Number(statement);
  const { run } = DuckDBConnection.prototype;
  await withGrowingLog(
    { folder, segments: growingSegments },
    { compacted: growingSegments.length, length: growingSegments.length },
    async () => undefined,
  );
  DuckDBConnection.prototype.run = function (...args) {
    left -= 1;
    if (left === 0) process.kill(process.pid, "SIGKILL");
    return run.apply(this, args);
  };
  await growingReport(folder, growingSegments.length, () => undefined);
}

import type { Experiment } from "../domain/experiment.ts";
import type { LogFiles } from "../domain/log-reading.ts";
import type { AnalysisEngine } from "./engine.ts";
import { logStatements } from "./log-statements.ts";

const dayMs = 86_400_000;

/**
 * How many units an experiment's current phase saw for the first time on each day (UTC) since it began. The last day is left
 * out, since it is not over: none of a log of one day. Needs DuckDB's SQL.
 */
export async function newUnitsByDay(
  experiment: Experiment,
  files: Pick<LogFiles, "impressions">,
  engine: AnalysisEngine,
): Promise<number[]> {
  const { prepare } = logStatements(
    engine.dialect,
    { ...experiment, metrics: [] },
    { impressions: files.impressions, outcomes: [] },
  );
  const byDay = `
    SELECT CAST(floor(epoch_ms(exposed) / ${dayMs}) AS INTEGER) AS day, count(*) AS units
    FROM units WHERE NOT crossed GROUP BY day ORDER BY day`;
  const { days } = await engine.run(prepare, { days: byDay });
  const first = Number(days[0]?.["day"] ?? 0);
  const last = Number(days.at(-1)?.["day"] ?? -1);
  const counts = new Array<number>(last - first + 1).fill(0);
  for (const row of days) counts[Number(row["day"]) - first] = Number(row["units"]);
  return counts.slice(0, -1);
}

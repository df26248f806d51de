import {
  type AnalysisReport,
  analyzeExperiment,
  duckDbEngine,
  newUnitsByDay,
  type PowerBaseline,
} from "../analysis/analysis.ts";
import type { SetlistConfig } from "../config.ts";
import { SetlistError } from "../domain/error.ts";
import type { Experiment } from "../domain/experiment.ts";
import { nearest } from "../schema/schema.ts";
import { withExperimentLog } from "./analyze-data.ts";

/** What a log says of an experiment that shall be like the one it was of. */
export interface PlanFromLog {
  readonly baseline: PowerBaseline;
  /** The document's, control first. */
  readonly weights: readonly number[];
  readonly goal: "increase" | "decrease";
  /** Primary metrics times treated arms, or treated arms where the metric is no primary. */
  readonly comparisons: number;
  /** What CUPED took away in the analysis; 0 where it had no covariate. */
  readonly varianceReduction: number;
  readonly unitsByDay: readonly number[];
}

/**
 * The control arm of one metric, as the analysis of the data directory has it.
 * @throws {SetlistError} NOT_FOUND where there is no such directory, experiment or metric; INVALID_ARGUMENT where control
 *   has too few units for a spread.
 */
export function planFromLog(options: {
  readonly dataDir: string;
  readonly experimentStore?: SetlistConfig["experimentStore"];
  readonly experiment: string;
  readonly metric: string;
  readonly alpha: number;
  readonly onProgress?: ((done: number, of: number) => void) | undefined;
}): Promise<PlanFromLog> {
  const { alpha, metric, onProgress } = options;
  return withExperimentLog(options, async (experiment, files) => {
    const known = experiment.metrics.map(({ id }) => id);
    if (!known.includes(metric)) {
      throw new SetlistError(
        "NOT_FOUND",
        `no metric ${metric} in ${experiment.id}${nearest(metric, known)}: it has ${known.join(", ")}`,
      );
    }
    const engine = duckDbEngine();
    const report = await analyzeExperiment({
      experiment,
      files,
      engine,
      alpha,
      asOf: new Date(),
      onProgress,
    });
    const unitsByDay = await newUnitsByDay(experiment, files, engine);
    return { ...fromReport(experiment, report, metric), unitsByDay };
  });
}

function fromReport(
  experiment: Experiment,
  report: AnalysisReport,
  name: string,
): Omit<PlanFromLog, "unitsByDay"> {
  const metric = report.metrics.find((one) => one.metric === name);
  if (metric === undefined) throw new Error(`the analysis of ${experiment.id} has no ${name}`);
  const isControl = new Map(experiment.arms.map((arm) => [arm.id, arm.control]));
  const control = metric.arms.find(({ arm }) => isControl.get(arm));
  if (control === undefined || control.mean === null || control.standardError === null) {
    throw new SetlistError(
      "INVALID_ARGUMENT",
      `${experiment.id}, ${name}: control has ${control?.units ?? 0} units in the log, too few for a spread; give the baseline by flags`,
    );
  }
  // An arm without weight gets nobody to compare.
  const arms = experiment.arms
    .filter((arm) => arm.control || arm.weight > 0)
    .sort((a, b) => Number(b.control) - Number(a.control));
  const primaries = report.metrics.filter(({ role }) => role === "primary").length;
  return {
    baseline: {
      kind: metric.type,
      value: control.mean,
      unitSpread: control.standardError * Math.sqrt(control.units),
      from: { experiment: experiment.id, metric: name, units: control.units },
    },
    weights: arms.map(({ weight }) => weight),
    goal: metric.goal,
    comparisons: (metric.role === "primary" ? primaries : 1) * (arms.length - 1),
    varianceReduction: metric.comparisons.find(({ cuped }) => cuped !== null)?.cuped?.varianceReduction ?? 0,
  };
}

import { analyzeExperiment } from "../../analysis/analysis.ts";
import type { SetlistConfig } from "../../config.ts";
import { invalidArgument, SetlistError } from "../../domain/error.ts";
import { duckDbEngine, newUnitsByDay } from "../../measurement/measurement.ts";
import { type LogBaseline, logBaseline, type PowerQuestion } from "../../planning/planning.ts";
import { nearest } from "../../schema/schema.ts";
import { withExperimentLog } from "./analyze-data.ts";

/** What a log says of an experiment that shall be like the one it was of. */
export interface PlanFromLog extends LogBaseline {
  readonly unitsByDay: readonly number[];
}

/**
 * The control arm of one metric, as the analysis of the data directory has it.
 * @throws {SetlistError} NOT_FOUND where there is no such directory, experiment or metric; INVALID_ARGUMENT where the
 *   experiment is an interleaving, and as `logBaseline`.
 */
export function planFromLog(options: {
  readonly dataDir: string;
  readonly experimentStore?: SetlistConfig["experimentStore"];
  readonly experiment: string;
  readonly metric: string;
  readonly alpha: number;
  /** Reads the trigger rate too, of an experiment that logs counterfactuals. */
  readonly triggered?: PowerQuestion["analysed"] | undefined;
  readonly onProgress?: ((done: number, of: number) => void) | undefined;
}): Promise<PlanFromLog> {
  const { alpha, metric, triggered, onProgress } = options;
  return withExperimentLog(options, async (experiment, files) => {
    if (experiment.kind === "interleave") {
      throw invalidArgument(
        `${experiment.id} is an interleaving, whose report has preferences and no control's numbers; give the baseline by flags`,
      );
    }
    const known = experiment.metrics.map(({ id }) => id);
    if (!known.includes(metric)) {
      throw new SetlistError("NOT_FOUND", `no metric ${metric} in ${experiment.id}${nearest(metric, known)}`);
    }
    const engine = duckDbEngine();
    const report = await analyzeExperiment({
      experiment,
      files,
      engine,
      alpha,
      designs: { trigger: triggered !== undefined },
      asOf: new Date(),
      onProgress,
    });
    const baseline = logBaseline(experiment, report, metric, triggered);
    return { ...baseline, unitsByDay: await newUnitsByDay(experiment, files, engine) };
  });
}

import { basename } from "node:path";
import { type AnalysisReport, analyzeExperiment } from "../../analysis/analysis.ts";
import type { SetlistConfig } from "../../config.ts";
import type { DesignQuestions } from "../../designs/designs.ts";
import { SetlistError } from "../../domain/error.ts";
import type { Experiment } from "../../domain/experiment.ts";
import type { LogFiles } from "../../domain/log-reading.ts";
import { duckDbEngine, type KeptStates, sparkEngine } from "../../measurement/measurement.ts";
import { nearest } from "../../schema/schema.ts";
import { existingDataDirectory, foldersOf } from "./data-directory.ts";
import { readExperiments } from "./experiment-store.ts";
import { withDataLogFiles } from "./log-files.ts";
import { withStorageSentences } from "./storage-failure.ts";

/** A Spark cluster for the heavy half of an analysis. */
export interface SparkCluster {
  /** The `spark-sql` program. */
  readonly program: string;
  /** `key=value` each, as its `--conf` takes them. */
  readonly settings: readonly string[];
  /** Where the cluster finds the data directory's `warehouse`; undefined where it sees this machine's files. */
  readonly warehouse?: string | undefined;
}

/**
 * The analysis of one experiment over a data directory, which a server may be using at the same time: nothing in it
 * is changed, but its folder `analysis` where it is incremental.
 * @throws {SetlistError} NOT_FOUND where there is no such directory or no such experiment in it; UNAVAILABLE where the
 *   system or DuckDB refuses.
 */
export async function analyzeDataDirectory(options: {
  readonly dataDir: string;
  /** Where its servers keep their experiments; the data directory where left out. */
  readonly experimentStore?: SetlistConfig["experimentStore"];
  readonly experiment: string;
  readonly alpha: number;
  /** What is asked beside the arms' means; nothing where left out. */
  readonly designs?: DesignQuestions | undefined;
  /** Reads only what is new, and keeps what it knows of the rest in the data directory; told where that is not so. */
  readonly incremental?: Pick<KeptStates, "onNotice"> | undefined;
  /** This process where left out. */
  readonly spark?: SparkCluster | undefined;
  /** Of this process; as many as there are cores where left out. */
  readonly threads?: number | undefined;
  readonly onProgress?: ((done: number, of: number) => void) | undefined;
}): Promise<AnalysisReport> {
  const { alpha, designs, incremental, spark, threads, onProgress } = options;
  return withExperimentLog(options, (experiment, files, { dataDir, experiments }) => {
    const { analysis, warehouse } = foldersOf(dataDir);
    const asked = { experiment, alpha, designs, asOf: new Date(), onProgress };
    if (spark === undefined) {
      const states = incremental && { ...incremental, folder: analysis, warehouse, experiments, threads };
      return analyzeExperiment({ ...asked, files, states, engine: duckDbEngine({ threads }) });
    }
    const seen = seenByCluster(files, warehouse, spark.warehouse);
    return analyzeExperiment({ ...asked, ...seen, engine: sparkEngine(spark) });
  });
}

/**
 * Works on the log of one experiment of a data directory, which a server may be using at the same time.
 * @throws {SetlistError} as `analyzeDataDirectory`.
 */
export async function withExperimentLog<T>(
  options: {
    readonly dataDir: string;
    readonly experimentStore?: SetlistConfig["experimentStore"];
    readonly experiment: string;
    readonly threads?: number | undefined;
  },
  work: (
    experiment: Experiment,
    files: LogFiles,
    place: {
      readonly dataDir: string /** All that there are, by id. */;
      readonly experiments: readonly string[];
    },
  ) => Promise<T>,
): Promise<T> {
  const { experimentStore = {}, threads } = options;
  const dataDir = existingDataDirectory(options.dataDir);
  const { experiments } = await readExperiments({ dataDir, experimentStore });
  const experiment = experiments.find(({ id }) => id === options.experiment);
  const known = experiments.map(({ id }) => id);
  if (experiment === undefined) {
    const hint = known.length === 0 ? " (there is none yet)" : nearest(options.experiment, known);
    throw new SetlistError("NOT_FOUND", `no experiment ${options.experiment} in ${dataDir}${hint}`);
  }
  return withStorageSentences(dataDir, () =>
    withDataLogFiles(
      dataDir,
      (files: LogFiles) => work(experiment, files, { dataDir, experiments: known }),
      threads,
    ),
  );
}

/** The files under the cluster's names, and what it does not see of them. */
function seenByCluster(
  files: LogFiles,
  local: string,
  remote: string | undefined,
): { readonly files: LogFiles; readonly notices: readonly string[] } {
  if (remote === undefined) {
    // Not what the cluster's own default file system has under the same path.
    const named = (paths: readonly string[]): string[] => paths.map((path) => `file://${path}`);
    return {
      files: {
        ...files,
        impressions: named(files.impressions),
        outcomes: named(files.outcomes),
        counterfactuals: named(files.counterfactuals),
      },
      notices: [],
    };
  }
  const below = `${local}/`;
  const base = remote.replace(/\/+$/, "");
  const shared = (paths: readonly string[]): string[] =>
    paths.filter((path) => path.startsWith(below)).map((path) => `${base}/${path.slice(below.length)}`);
  const all = [...files.impressions, ...files.outcomes];
  const segments = new Set(all.filter((path) => !path.startsWith(below)).map((path) => basename(path)));
  const isOne = segments.size === 1;
  return {
    files: {
      ...files,
      impressions: shared(files.impressions),
      outcomes: shared(files.outcomes),
      counterfactuals: shared(files.counterfactuals),
    },
    notices:
      segments.size === 0
        ? []
        : [
            `${segments.size} ${isOne ? "segment of the log is" : "segments of the log are"} not in the warehouse yet, ` +
              `which is all that the cluster sees: not counted; setlist compact brings ${isOne ? "it" : "them"} there once sealed.`,
          ],
  };
}

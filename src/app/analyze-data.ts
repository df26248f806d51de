import { type AnalysisReport, analyzeExperiment } from "../analysis/analysis.ts";
import type { SetlistConfig } from "../config.ts";
import { SetlistError } from "../domain/error.ts";
import { nearest } from "../schema/schema.ts";
import { existingDataDirectory } from "./data-directory.ts";
import { readExperiments } from "./experiment-store.ts";
import { withDataLogFiles } from "./log-files.ts";

/**
 * The analysis of one experiment over a data directory, which a server may be using at the same time: nothing in it
 * is changed.
 * @throws {SetlistError} NOT_FOUND where there is no such directory or no such experiment in it.
 */
export async function analyzeDataDirectory(options: {
  readonly dataDir: string;
  /** Where its servers keep their experiments; the data directory where left out. */
  readonly experimentStore?: SetlistConfig["experimentStore"];
  readonly experiment: string;
  readonly alpha: number;
  readonly onProgress?: ((done: number, of: number) => void) | undefined;
}): Promise<AnalysisReport> {
  const { alpha, experimentStore = {}, onProgress } = options;
  const dataDir = existingDataDirectory(options.dataDir);
  const { experiments } = await readExperiments({ dataDir, experimentStore });
  const experiment = experiments.find(({ id }) => id === options.experiment);
  if (experiment === undefined) {
    const known = experiments.map(({ id }) => id);
    const hint = known.length === 0 ? " (there is none yet)" : nearest(options.experiment, known);
    throw new SetlistError("NOT_FOUND", `no experiment ${options.experiment} in ${dataDir}${hint}`);
  }
  return withDataLogFiles(dataDir, (files) =>
    analyzeExperiment({ experiment, files, alpha, asOf: new Date(), onProgress }),
  );
}

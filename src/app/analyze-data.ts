import { join } from "node:path";
import { type AnalysisReport, analyzeExperiment } from "../analysis/analysis.ts";
import { SetlistError } from "../domain/error.ts";
import { readLog } from "../outcomes/outcomes.ts";
import { openRegistry } from "../registry/registry.ts";
import { nearest } from "../schema/schema.ts";
import { existingDataDirectory } from "./data-directory.ts";
import { systemClock } from "./system-clock.ts";

/**
 * The analysis of one experiment over a data directory, which a server may be using at the same time: nothing in it
 * is changed.
 * @throws {SetlistError} NOT_FOUND where there is no such directory or no such experiment in it.
 */
export async function analyzeDataDirectory(options: {
  readonly dataDir: string;
  readonly experiment: string;
  readonly alpha: number;
}): Promise<AnalysisReport> {
  const { dataDir, alpha } = options;
  const registry = openRegistry({
    dataDir: existingDataDirectory(dataDir),
    readOnly: true,
    clock: systemClock,
  });
  try {
    const experiment = registry.get(options.experiment);
    if (experiment === undefined) {
      const known = registry.list().map((one) => one.id);
      const hint = known.length === 0 ? " (there is none yet)" : nearest(options.experiment, known);
      throw new SetlistError("NOT_FOUND", `no experiment ${options.experiment} in ${dataDir}${hint}`);
    }
    return await analyzeExperiment({
      experiment,
      records: readLog(join(dataDir, "log")),
      alpha,
      asOf: new Date(),
    });
  } finally {
    await registry.close();
  }
}

import { loadExperimentDocuments, type SetlistConfig } from "../config.ts";
import type { Assignment, Decision } from "../domain/assignment.ts";
import { SetlistError, UsageError } from "../domain/error.ts";
import type { Experiment, ExperimentRevision } from "../domain/experiment.ts";
import { compileAssigner, reviseAll, type TargetingAttributes } from "../experiments/experiments.ts";
import { hasRegistry, openRegistry } from "../registry/registry.ts";
import { nearest } from "../schema/schema.ts";

/** Who writes what the configuration says, in the history. */
export const configurationWriter = "configuration";

/**
 * The experiments as a server started now would have them: what the data directory holds, if there is a store, with
 * the configuration's documents over it. Nothing is written.
 * @throws {SetlistError} where a document or the store is not usable.
 */
export function currentExperiments(config: SetlistConfig): readonly Experiment[] {
  const { dataDir, surfaces } = config;
  const documents = loadExperimentDocuments(config.experiments, { surfaces: [...surfaces.keys()] });
  if (!hasRegistry(dataDir)) return reviseAll([], documents).experiments;
  const registry = openRegistry({ dataDir, readOnly: true });
  try {
    return registry.preview(documents, configurationWriter);
  } finally {
    registry.close();
  }
}

/** @throws {SetlistError} NOT_FOUND with the nearest id that there is; as `currentExperiments`. */
export function currentExperiment(config: SetlistConfig, id: string): Experiment {
  const experiments = currentExperiments(config);
  const found = experiments.find((one) => one.id === id);
  if (found !== undefined) return found;
  throw unknownExperiment(id, experiments);
}

/**
 * Everything that the store keeps about one experiment, oldest first.
 * @throws {SetlistError} NOT_FOUND where there is no store yet, or no such experiment, with the nearest that there is.
 */
export function experimentHistory(dataDir: string, id: string): readonly ExperimentRevision[] {
  const registry = openRegistry({ dataDir, readOnly: true });
  try {
    const revisions = registry.history(id);
    if (revisions.length > 0) return revisions;
    throw unknownExperiment(id, registry.list());
  } finally {
    registry.close();
  }
}

/** What one unit gets, over every surface, and why not where it gets nothing. */
export interface UnitAssignments {
  readonly unit: string;
  readonly assignments: readonly Assignment[];
  readonly decisions: readonly Decision[];
}

/** @throws {UsageError} where the unit's id is empty or over-long; as `currentExperiments`. */
export function assignUnit(
  config: SetlistConfig,
  unit: string,
  attributes: TargetingAttributes,
): UnitAssignments {
  const { idBytesMax } = config.limits;
  const bytes = Buffer.byteLength(unit);
  if (bytes < 1 || bytes > idBytesMax) {
    throw new UsageError(`--unit: expected an id of 1 to ${idBytesMax} bytes, got ${bytes}`);
  }
  const experiments = currentExperiments(config);
  const assigner = compileAssigner(experiments);
  const surfaces = [...new Set(experiments.map(({ surface }) => surface))].sort();
  return {
    unit,
    assignments: surfaces.flatMap((surface) => assigner.assign(surface, unit, attributes)),
    decisions: assigner.explain(undefined, unit, attributes),
  };
}

function unknownExperiment(id: string, known: readonly Experiment[]): SetlistError {
  const ids = known.map((one) => one.id);
  return new SetlistError("NOT_FOUND", `no experiment ${JSON.stringify(id)}${nearest(id, ids)}`);
}

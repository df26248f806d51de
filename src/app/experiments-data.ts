import { loadExperimentDocuments, type SetlistConfig } from "../config.ts";
import type { Assignment, Decision } from "../domain/assignment.ts";
import { UsageError } from "../domain/error.ts";
import { emptyState, type StoreState } from "../domain/store-state.ts";
import {
  compileAssigner,
  reviseAll,
  type TargetingAttributes,
  underKillSwitch,
} from "../experiments/experiments.ts";
import { hasExperiments, readExperiments } from "./experiment-store.ts";

/**
 * What stands for a server started now: what the data directory's store holds, or what the configuration's folder would
 * fill an empty one with. Nothing is written.
 * @throws {SetlistError} where a document or the store is not usable.
 */
export async function currentState(config: SetlistConfig): Promise<StoreState> {
  if (hasExperiments(config)) {
    const state = await readExperiments(config);
    if (state.experiments.length > 0) return state;
  }
  const documents = loadExperimentDocuments(config.experiments, { surfaces: [...config.surfaces.keys()] });
  return { ...emptyState, experiments: reviseAll([], documents).experiments };
}

/** What one unit gets, over every surface, and why not where it gets nothing. */
export interface UnitAssignments {
  readonly unit: string;
  readonly assignments: readonly Assignment[];
  readonly decisions: readonly Decision[];
}

/** @throws {UsageError} where the unit's id is empty or over-long; as `currentState`. */
export async function assignUnit(
  config: SetlistConfig,
  unit: string,
  attributes: TargetingAttributes,
): Promise<UnitAssignments> {
  const { idBytesMax } = config.limits;
  const bytes = Buffer.byteLength(unit);
  if (bytes < 1 || bytes > idBytesMax) {
    throw new UsageError(`--unit: expected an id of 1 to ${idBytesMax} bytes, got ${bytes}`);
  }
  const experiments = underKillSwitch(await currentState(config));
  const assigner = compileAssigner(experiments);
  const surfaces = [...new Set(experiments.map(({ surface }) => surface))].sort();
  return {
    unit,
    assignments: surfaces.flatMap((surface) => assigner.assign(surface, unit, attributes)),
    decisions: assigner.explain(undefined, unit, attributes),
  };
}

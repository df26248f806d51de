import { loadExperimentDocuments, type SetlistConfig } from "../config.ts";
import type { Assignment, Decision } from "../domain/assignment.ts";
import { SetlistError, UsageError } from "../domain/error.ts";
import type { Experiment, ExperimentRevision } from "../domain/experiment.ts";
import { compileAssigner, type RequestFacts, reviseAll } from "../experiments/experiments.ts";
import { hasRegistry, openRegistry } from "../registry/registry.ts";
import { hasStickyArms, StickyArmsFile } from "../registry/sticky-arms.ts";
import { nearest } from "../schema/schema.ts";
import { checkAttributes } from "../serving/attributes.ts";

/** Who writes what the configuration says, in the history. */
export const configurationWriter = "configuration";

/**
 * The experiments as a server started now would have them: what the data directory holds, if there is a store, with
 * the configuration's documents over it. Nothing is written.
 * @throws {SetlistError} where a document or the store is not usable.
 */
export function currentExperiments(config: SetlistConfig): readonly Experiment[] {
  const { dataDir, surfaces } = config;
  const { attributes } = config;
  const documents = loadExperimentDocuments(config.experiments, {
    surfaces: [...surfaces.keys()],
    attributes,
  });
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
export function assignUnit(config: SetlistConfig, unit: string, facts: RequestFacts): UnitAssignments {
  checkFlag("--unit", unit, config);
  checkFlag("--session", facts.session, config);
  checkFlag("--request-id", facts.request, config);
  checkAttributes(facts.user, "--attributes: user", config.limits, config.attributes?.user);
  checkAttributes(facts.context, "--attributes: context", config.limits, config.attributes?.context);
  const experiments = currentExperiments(config);
  const sticky = hasStickyArms(config.dataDir)
    ? new StickyArmsFile(config.dataDir, true, () => undefined)
    : undefined;
  const assigner = compileAssigner(experiments, {
    holdouts: config.holdouts,
    keptArm: (experiment, id) => sticky?.get(experiment, id),
  });
  const surfaces = [...new Set(experiments.map(({ surface }) => surface))].sort();
  return {
    unit,
    assignments: surfaces.flatMap((surface) => assigner.assign(surface, unit, facts)),
    decisions: assigner.explain(undefined, unit, facts),
  };
}

function checkFlag(flag: string, id: string | undefined, { limits }: SetlistConfig): void {
  if (id === undefined) return;
  const bytes = Buffer.byteLength(id);
  if (bytes >= 1 && bytes <= limits.idBytesMax) return;
  throw new UsageError(`${flag}: expected an id of 1 to ${limits.idBytesMax} bytes, got ${bytes}`);
}

function unknownExperiment(id: string, known: readonly Experiment[]): SetlistError {
  const ids = known.map((one) => one.id);
  return new SetlistError("NOT_FOUND", `no experiment ${JSON.stringify(id)}${nearest(id, ids)}`);
}

import { loadExperimentDocuments, type SetlistConfig } from "../../config.ts";
import type { UnitAssignments } from "../../domain/assignment.ts";
import { UsageError } from "../../domain/error.ts";
import { emptyState, type StoreState } from "../../domain/store-state.ts";
import {
  compileAssigner,
  type RequestFacts,
  reviseAll,
  underKillSwitch,
} from "../../experiments/experiments.ts";
import { hasStickyArms, StickyArmsFile } from "../../registry/sticky-arms.ts";
import { checkAttributes } from "../../serving/attributes.ts";
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
  const documents = loadExperimentDocuments(config.experiments, {
    surfaces: [...config.surfaces.keys()],
    attributes: config.attributes,
  });
  return { ...emptyState, experiments: reviseAll([], documents).experiments };
}

/** Where there is no store yet, that `currentState` says what there would be; undefined where it says what there is. */
export function doubtOf(config: SetlistConfig): string | undefined {
  if (hasExperiments(config)) return undefined;
  return `No server has run in ${config.dataDir} yet: one that starts there would have these, of ${config.experiments}.`;
}

/** @throws {UsageError} where the unit's id is empty or over-long; as `currentState`. */
export async function assignUnit(
  config: SetlistConfig,
  unit: string,
  facts: RequestFacts,
): Promise<UnitAssignments> {
  checkFlag("--unit", unit, config);
  checkFlag("--session", facts.session, config);
  checkFlag("--request-id", facts.request, config);
  checkAttributes(facts.user, "--attributes: user", config.limits, config.attributes?.user);
  checkAttributes(facts.context, "--attributes: context", config.limits, config.attributes?.context);
  const experiments = underKillSwitch(await currentState(config));
  const sticky = hasStickyArms(config.dataDir)
    ? new StickyArmsFile(config.dataDir, true, () => undefined)
    : undefined;
  const assigner = compileAssigner(experiments, {
    holdouts: config.holdouts,
    keptArm: (experiment, id) => sticky?.get(experiment, id),
  });
  const surfaces = [...new Set(experiments.map(({ surface }) => surface))].sort();
  const answer = {
    unit,
    assignments: surfaces.flatMap((surface) => assigner.assign(surface, unit, facts)),
    decisions: assigner.explain(undefined, unit, facts),
  };
  await sticky?.close();
  return answer;
}

function checkFlag(flag: string, id: string | undefined, { limits }: SetlistConfig): void {
  if (id === undefined) return;
  const bytes = Buffer.byteLength(id);
  if (bytes >= 1 && bytes <= limits.idBytesMax) return;
  throw new UsageError(`${flag}: expected an id of 1 to ${limits.idBytesMax} bytes, got ${bytes}`);
}

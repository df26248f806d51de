import type { Experiment } from "../domain/experiment.ts";
import type { Breach } from "../domain/guardrail.ts";
import type { StoreChange, StoreState, Written } from "../domain/store-state.ts";
import { describeBreach, describeChange } from "./change.ts";

/** Who holds and rolls back, in the history. */
export const guardrailWriter = "guardrail";

/**
 * What a breach does: `hold` marks the experiment, so that its ramp does not go on; `rollback` kills it, so that everyone
 * gets the surface's default and a person may revive it. Nothing where it does not run any more, is in another phase,
 * or somebody has done it already.
 * @param phase the one that was judged. No revision: what protects listeners must not lose against another write.
 */
export function breached(
  state: StoreState,
  { id, phase, breach }: { readonly id: string; readonly phase: number; readonly breach: Breach },
): StoreChange {
  const standing = state.experiments.find((one) => one.id === id);
  if (standing?.status !== "running" || standing.killed !== undefined || standing.phase !== phase) return {};
  if (breach.action === "hold" && standing.breach !== undefined) return {};
  const killed = breach.action === "rollback" ? { killed: describeBreach(breach) } : {};
  return { experiments: [next(standing, { ...standing, ...killed, breach })] };
}

/** A hold is over: its guardrail was found healthy. Nothing where the experiment is not at the revision that was judged. */
export function recovered(
  state: StoreState,
  { id, revision }: { readonly id: string; readonly revision: number },
): StoreChange {
  const standing = state.experiments.find((one) => one.id === id);
  if (standing?.revision !== revision || standing.breach?.action !== "hold") return {};
  const { breach: _over, ...rest } = standing;
  return { experiments: [next(standing, rest)] };
}

function next(standing: Experiment, document: Experiment): Written<Experiment> {
  const revised = { ...document, revision: standing.revision + 1 };
  return { document: revised, what: describeChange(standing, revised) };
}

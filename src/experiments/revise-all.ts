import { SetlistError } from "../domain/error.ts";
import type { Experiment, ExperimentDocument } from "../domain/experiment.ts";
import { changedFields } from "./change.ts";
import { release, revise } from "./revise.ts";

/**
 * Applies several documents at once. What they give back is free for all of them, whatever their order, so that one
 * write can move traffic from one experiment of a layer to another. A document that says what stands already changes
 * nothing.
 * @returns all experiments afterwards, in the order of their ids, and those that changed.
 * @throws {SetlistError} as `revise` does, with the experiment's id; nothing is to be kept then.
 */
export function reviseAll(
  standing: readonly Experiment[],
  documents: readonly ExperimentDocument[],
): { readonly experiments: readonly Experiment[]; readonly changed: readonly Experiment[] } {
  const before = new Map(standing.map((experiment) => [experiment.id, experiment]));
  const writes = documents.filter((document) => differs(before.get(document.id), document)).sort(byId);
  const after = new Map(before);
  for (const document of writes) {
    const previous = before.get(document.id);
    if (previous !== undefined) after.set(document.id, release(previous, document));
  }
  const changed: Experiment[] = [];
  for (const document of writes) {
    const next = reviseNamed(before.get(document.id), document, [...after.values()]);
    after.set(next.id, next);
    changed.push(next);
  }
  return { experiments: [...after.values()].sort(byId), changed };
}

function differs(previous: Experiment | undefined, document: ExperimentDocument): boolean {
  return previous === undefined || changedFields(previous, document).length > 0;
}

function reviseNamed(
  previous: Experiment | undefined,
  document: ExperimentDocument,
  others: readonly Experiment[],
): Experiment {
  try {
    return revise(previous, document, others);
  } catch (error) {
    if (!(error instanceof SetlistError)) throw error;
    throw new SetlistError(error.code, `experiment ${document.id}: ${error.message}`, { cause: error });
  }
}

function byId(a: { readonly id: string }, b: { readonly id: string }): number {
  return a.id < b.id ? -1 : 1;
}

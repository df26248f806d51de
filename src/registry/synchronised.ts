import type { Experiment, ExperimentDocument } from "../domain/experiment.ts";
import type { Revision } from "../domain/store-state.ts";
import { changedFields, documentOf, reviseAll } from "../experiments/experiments.ts";

/**
 * What the documents of `who` make of a store. A document counts as a change only where it differs from what `who` last
 * wrote: an unchanged file never takes back what somebody else changed since.
 * @param history every revision, oldest first.
 */
export function synchronised(
  history: readonly Revision<Experiment>[],
  documents: readonly ExperimentDocument[],
  who: string,
): ReturnType<typeof reviseAll> {
  const latest = new Map(history.map((revision) => [revision.document.id, revision]));
  const written = new Map(
    history.filter((revision) => revision.who === who).map(({ document }) => [document.id, document]),
  );
  const changes = documents.filter((document) => {
    const last = written.get(document.id);
    return last === undefined || changedFields(last, document).length > 0;
  });
  const present = new Set(documents.map(({ id }) => id));
  const standing = [...latest.values()];
  const orphans = standing
    .filter((revision) => revision.who === who && !present.has(revision.document.id))
    .map(({ document }) => stopped(document));
  return reviseAll(
    standing.map(({ document }) => document),
    [...changes, ...orphans],
  );
}

function stopped(experiment: Experiment): ExperimentDocument {
  return { ...documentOf(experiment), status: "stopped" };
}

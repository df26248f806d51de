import type { Experiment, ExperimentDocument, ExperimentRevision } from "../domain/experiment.ts";
import { changedFields, documentOf, reviseAll } from "../experiments/experiments.ts";

/**
 * What the documents of `who` make of a store. A document counts as a change only where it differs from what `who` last
 * wrote: an unchanged file never takes back what somebody else changed since.
 * @param history every revision, oldest first.
 */
export function synchronised(
  history: readonly ExperimentRevision[],
  documents: readonly ExperimentDocument[],
  who: string,
): ReturnType<typeof reviseAll> {
  const latest = new Map(history.map((revision) => [revision.experiment.id, revision]));
  const written = new Map(
    history.filter((revision) => revision.who === who).map(({ experiment }) => [experiment.id, experiment]),
  );
  const changes = documents.filter((document) => {
    const last = written.get(document.id);
    return last === undefined || changedFields(last, document).length > 0;
  });
  const present = new Set(documents.map(({ id }) => id));
  const standing = [...latest.values()];
  const orphans = standing
    .filter((revision) => revision.who === who && !present.has(revision.experiment.id))
    .map(({ experiment }) => stopped(experiment));
  return reviseAll(
    standing.map(({ experiment }) => experiment),
    [...changes, ...orphans],
  );
}

function stopped(experiment: Experiment): ExperimentDocument {
  return { ...documentOf(experiment), status: "stopped" };
}

import { SetlistError } from "../domain/error.ts";
import type { Experiment, ExperimentRevision } from "../domain/experiment.ts";
import type { ExperimentStore } from "../domain/ports.ts";
import { nearest } from "../schema/schema.ts";

/** @throws {SetlistError} NOT_FOUND with the nearest id that there is. */
export function knownExperiment(store: ExperimentStore, id: string): Experiment {
  const experiment = store.get(id);
  if (experiment !== undefined) return experiment;
  const known = store.list().map((one) => one.id);
  // Measuring how near a long text is to every id would cost more than the answer is worth.
  const hint = id.length <= 256 ? nearest(id, known) : "";
  throw new SetlistError("NOT_FOUND", `id: no experiment ${JSON.stringify(id)}${hint}`);
}

/** A kept revision as people and programs read it: its time in ISO 8601, UTC, with milliseconds. */
export function readableRevision(revision: ExperimentRevision): Omit<ExperimentRevision, "at"> & {
  readonly at: string;
} {
  return { ...revision, at: new Date(revision.at).toISOString() };
}

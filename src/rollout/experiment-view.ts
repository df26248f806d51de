import { SetlistError } from "../domain/error.ts";
import type { Experiment } from "../domain/experiment.ts";
import type { ExperimentStore } from "../domain/experiment-store.ts";
import type { Revision } from "../domain/store-state.ts";
import { nearest } from "../schema/schema.ts";

/** As it stands now. @throws {SetlistError} NOT_FOUND with the nearest id that there is. */
export async function knownExperiment(store: ExperimentStore, id: string): Promise<Experiment> {
  const { experiments } = await store.refresh();
  const experiment = experiments.find((one) => one.id === id);
  if (experiment !== undefined) return experiment;
  const known = experiments.map((one) => one.id);
  throw new SetlistError("NOT_FOUND", `id: no experiment ${JSON.stringify(id)}${nearest(id, known)}`);
}

/** What the history says of a revision, its time in ISO 8601, UTC, with milliseconds. */
export interface RevisionNote {
  readonly who: string;
  readonly at: string;
  readonly what: string;
  /** Of the whole state of the store that the write left; absent in what an older Setlist wrote. */
  readonly hash?: string;
}

/** A kept revision as people and programs read it. */
export function readableRevision(
  revision: Revision<Experiment>,
): RevisionNote & { readonly experiment: Experiment } {
  return { experiment: revision.document, ...revisionNote(revision) };
}

export function revisionNote({ who, at, what, hash }: Revision<unknown>): RevisionNote {
  return { who, at: new Date(at).toISOString(), what, ...(hash !== undefined && { hash }) };
}

/** What stands, for people and programs; `stale` only where it may be old, its time in ISO 8601. */
export function listedExperiments(store: Pick<ExperimentStore, "list" | "stale">): {
  readonly experiments: readonly Experiment[];
  readonly stale?: { readonly since: string; readonly reason: string };
} {
  const stale = store.stale();
  return {
    experiments: store.list(),
    ...(stale !== undefined && { stale: { ...stale, since: new Date(stale.since).toISOString() } }),
  };
}

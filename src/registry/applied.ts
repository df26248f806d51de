import { SetlistError } from "../domain/error.ts";
import type { StoreChange, StoreState } from "../domain/store-state.ts";

/**
 * What stands once `change` is made.
 * @throws {SetlistError} ABORTED where a document is not one revision above what stands.
 */
export function applied(standing: StoreState, change: StoreChange): StoreState {
  const experiments = new Map(standing.experiments.map((one) => [one.id, one]));
  for (const { document } of change.experiments ?? []) {
    expectNext(`experiment ${document.id}`, experiments.get(document.id), document);
    experiments.set(document.id, document);
  }
  const surfaces = new Map(standing.surfaces.map((one) => [one.surface, one]));
  for (const { document } of change.surfaces ?? []) {
    expectNext(`surface ${document.surface}`, surfaces.get(document.surface), document);
    surfaces.set(document.surface, document);
  }
  const killSwitch = change.killSwitch?.document;
  if (killSwitch !== undefined) expectNext("the kill switch", standing.killSwitch, killSwitch);
  return {
    experiments: [...experiments.values()].sort((a, b) => (a.id < b.id ? -1 : 1)),
    surfaces: [...surfaces.values()].sort((a, b) => (a.surface < b.surface ? -1 : 1)),
    killSwitch: killSwitch ?? standing.killSwitch,
  };
}

/** True where nothing would be written. */
export function isEmpty({ experiments = [], surfaces = [], killSwitch }: StoreChange): boolean {
  return experiments.length === 0 && surfaces.length === 0 && killSwitch === undefined;
}

interface Revised {
  readonly revision: number;
}

function expectNext(what: string, standing: Revised | undefined, next: Revised): void {
  const stands = standing?.revision ?? 0;
  if (next.revision === stands + 1) return;
  throw new SetlistError(
    "ABORTED",
    `revision: ${what} stands at revision ${stands}, so the next is ${stands + 1}, got ${next.revision}: read it again`,
  );
}

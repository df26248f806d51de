import type { Experiment } from "../../src/domain/experiment.ts";
import type { ExperimentStore } from "../../src/domain/experiment-store.ts";
import {
  emptyState,
  type Revision,
  type StoreChange,
  type StoreState,
} from "../../src/domain/store-state.ts";
import type { Known } from "../../src/experiments/experiments.ts";
import { applied } from "../../src/registry/applied.ts";
import { ExperimentWrites } from "../../src/rollout/experiment-writes.ts";

/** A store in memory that holds these at first; its history says what was written since, or `history`. */
export function storeOf(
  experiments: readonly Experiment[],
  history: readonly Revision<Experiment>[] = [],
): ExperimentStore {
  let state: StoreState = { ...emptyState, experiments };
  const kept: { who: string; change: StoreChange }[] = [];
  const revisions = <T>(
    of: (change: StoreChange) => readonly { document: T; what: string }[],
  ): Revision<T>[] =>
    kept.flatMap(({ who, change }) => of(change).map((one) => ({ ...one, who, at: 0, hash: undefined })));
  return {
    current: () => state,
    list: () => state.experiments,
    get: (id) => state.experiments.find((one) => one.id === id),
    refresh: async () => state,
    stale: () => undefined,
    onChange: () => () => undefined,
    async write(who, change) {
      const made = change(state);
      state = applied(state, made);
      kept.push({ who, change: made });
      return state;
    },
    history: async (id) => [
      ...history,
      ...revisions((change) => (change.experiments ?? []).filter(({ document }) => document.id === id)),
    ],
    surfaceHistory: async (surface) =>
      revisions((change) => (change.surfaces ?? []).filter(({ document }) => document.surface === surface)),
    killSwitchHistory: async () =>
      revisions(({ killSwitch }) => (killSwitch === undefined ? [] : [killSwitch])),
    close: async () => undefined,
  };
}

/** Writes to a store, held against `known` alone: every model is there. */
export function writesOf(store: ExperimentStore, known: Known = {}): ExperimentWrites {
  return new ExperimentWrites({ store, known: () => known, prepare: async () => () => undefined });
}

import type { Experiment } from "./experiment.ts";
import type { ModelRef, ValueModelOverride } from "./model.ts";

/** Turns every experiment off at once. */
export interface KillSwitch {
  readonly on: boolean;
  /** What whoever moved it last said about it; empty where it was never moved. */
  readonly reason: string;
  /** 0 where it was never moved; rises by one with every move. */
  readonly revision: number;
}

/** What serves a surface without an experiment, in place of what the configuration says. */
export interface ShippedDefault {
  readonly model: ModelRef;
  /** The arm's, with what was shipped before it: goes before the configuration's, half by half. */
  readonly valueModel?: ValueModelOverride | undefined;
  /** The arm that was shipped. */
  readonly experiment: string;
  readonly arm: string;
}

/** A surface that something was shipped to once. */
export interface SurfaceDefault {
  readonly surface: string;
  /** Undefined where the configuration's default was restored. */
  readonly shipped?: ShippedDefault | undefined;
  /** Rises by one with every write. */
  readonly revision: number;
}

/** All that the store says about who gets what: a whole, since shares of a layer only mean something beside each other. */
export interface StoreState {
  /** In the order of their ids. */
  readonly experiments: readonly Experiment[];
  /** In the order of their names; a surface that nothing was ever shipped to is not there. */
  readonly surfaces: readonly SurfaceDefault[];
  readonly killSwitch: KillSwitch;
}

/** Something new, and one line for the history: `traffic 0.1 to 0.5, arms; phase 2`. */
export interface Written<T> {
  readonly document: T;
  readonly what: string;
}

/** What one write puts in place, all or none of it: each a whole document, one revision above what stands. */
export interface StoreChange {
  readonly experiments?: readonly Written<Experiment>[] | undefined;
  readonly surfaces?: readonly Written<SurfaceDefault>[] | undefined;
  readonly killSwitch?: Written<KillSwitch> | undefined;
}

/** One kept revision of a document: what stood there, who wrote it, when (ms since 1970, UTC) and what they did. */
export interface Revision<T> {
  readonly document: T;
  readonly who: string;
  readonly at: number;
  readonly what: string;
  /** `stateHash` of the whole state that the write left; undefined in what an older Setlist wrote. */
  readonly hash: string | undefined;
}

/** Why what a store says may be old: it has not been able to look since `since` (ms since 1970, UTC). */
export interface Staleness {
  readonly since: number;
  readonly reason: string;
}

export const emptyState: StoreState = {
  experiments: [],
  surfaces: [],
  killSwitch: { on: false, reason: "", revision: 0 },
};

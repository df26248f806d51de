/** The world's listeners and tracks, as far as the simulation needs them; rows are those that the truth knows. */
import type { Features } from "../domain/feature.ts";

export type Surface = "home" | "radio";

export interface Listener {
  readonly id: string;
  /** Relative share of the visits: plays a week and one, as in the training recipe's logs. */
  readonly activity: number;
  /** Rows of the tracks played before, newest first; a new listener has none. */
  readonly history: readonly number[];
  readonly country: string;
  readonly device: string;
}

export interface Track {
  readonly id: string;
  /** The shared content space that history is compared in. */
  readonly content: readonly number[];
  readonly playsWeek: number;
  readonly ageDays: number;
}

export interface World {
  /** Place in the array is the row in `users.parquet`. */
  readonly listeners: readonly Listener[];
  /** Place in the array is the row in `items.parquet`. */
  readonly tracks: readonly Track[];
  /** The context features that a frontend sends for a radio started from that track; none at home (-1). */
  seedFeatures(surface: Surface, seedTrack: number): Features;
}

/** Tracks this young are new releases, as in the training recipe. */
export const newReleaseAgeDaysMax = 7;

/** What was shown: `tracks` are rows in the order of the ranking, `seedTrack` is the radio's, -1 at home. */
export interface Shown {
  readonly surface: Surface;
  readonly listener: number;
  readonly tracks: readonly number[];
  readonly seedTrack: number;
}

/**
 * How listeners really behave. Answers `[shown, 3] float32`, row-major, position bias included.
 * Home: P(click), P(completion given click), P(like given completion).
 * Radio: P(completion), P(skip), P(like given completion).
 */
export type Truth = (shown: Shown) => Promise<Float32Array>;

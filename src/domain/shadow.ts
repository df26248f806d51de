import type { ModelRef, ModelVersion } from "./model.ts";

/** A model that scores a share of a surface's requests once they are answered, to be compared with what served. */
export interface ShadowSpec {
  readonly model: ModelRef;
  /** Of the surface's requests, in [0, 1]: those whose `murmur3("shadow:" + requestId) / 2^32` is below it. */
  readonly share: number;
  /** How many of the best are compared as a set. */
  readonly topK: number;
}

/**
 * What became of a request of the share: `compared`; `unlogged`, compared too, but the log refused the record; `skipped`,
 * since no model had scored all its candidates with the store's features, or the shadow model itself had; `dropped`, since the server had better to do;
 * `failed`, since the shadow model could not score it.
 */
export type ShadowResult = "compared" | "unlogged" | "skipped" | "dropped" | "failed";

/** How a shadow model would have ordered one answered request: a record beside its impression. */
export interface ShadowComparison {
  readonly kind: "shadow";
  /** The impression's. */
  readonly requestId: string;
  /** When it was compared, ms since 1970, UTC. */
  readonly at: number;
  readonly surface: string;
  /** What served, and what only looked on. */
  readonly model: ModelVersion;
  readonly shadow: ModelVersion;
  /** How many candidates both scored: all that the request had. */
  readonly candidateCount: number;
  /** Kendall's tau-b of the two scores; undefined where one of the models scored all alike. */
  readonly tau: number | undefined;
  /** Of the best `topK` of either, the share that both have. */
  readonly topK: number;
  readonly overlap: number;
  /** The mean absolute difference of a candidate's two scores. */
  readonly scoreDifference: number;
}

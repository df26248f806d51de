import type { Assignment, Decision } from "./assignment.ts";
import type { RankingExplanation } from "./explanation.ts";
import type { Attributes, Features } from "./feature.ts";
import type { IdBytes } from "./id-bytes.ts";
import type { ModelVersion } from "./model.ts";

/** One thing that could be shown. `features` go before the store's. */
export interface Candidate {
  readonly id: string;
  readonly features?: Features | undefined;
}

/** Candidates by their place, such as an array of them. */
export interface CandidateList extends Iterable<Candidate> {
  readonly length: number;
  at(place: number): Candidate | undefined;
}

/** A rank request that was parsed at the door: every field is within the limits and cannot be wrong any more. */
export interface RankRequest {
  readonly requestId: string;
  readonly surface: string;
  readonly user: {
    readonly id: string;
    readonly attributes: Attributes;
    readonly features: Features;
  };
  /** The visit that the request belongs to, for experiments on sessions. */
  readonly sessionId?: string | undefined;
  readonly context: { readonly attributes: Attributes; readonly features: Features };
  /** Without duplicates, in the order of the request. */
  readonly candidates: CandidateList;
  /** The candidates' ids once more, where they came as bytes: no candidate has features of its own then. */
  readonly idBytes?: IdBytes | undefined;
  /** At most this many ranked items; all where undefined. */
  readonly limit: number | undefined;
  /** Milliseconds from the arrival; the surface's default where undefined. */
  readonly timeoutMs: number | undefined;
  readonly explain: boolean;
}

/** One thing that goes out. `position` is 1-based; `tasks` are probabilities, empty where no model scored. */
export interface RankedItem {
  readonly id: string;
  readonly position: number;
  readonly score: number;
  readonly tasks: Readonly<Record<string, number>>;
}

/** Milliseconds that each part of one request took. */
export interface RankTimings {
  readonly assign: number;
  readonly features: number;
  readonly queue: number;
  readonly inference: number;
  readonly rank: number;
}

/**
 * Why an answer is less than it could be: `deadline`, `overload`, `model-unavailable`,
 * `feature-store-unavailable`, `defaults:N` where N candidates (and the user) had no features of their own, or
 * `truncated:N` where the last N candidates were not scored and keep their order behind those that were.
 */
export type DegradedReason =
  | "deadline"
  | "overload"
  | "model-unavailable"
  | "feature-store-unavailable"
  | `defaults:${number}`
  | `truncated:${number}`;

export interface RankAnswer {
  readonly requestId: string;
  readonly surface: string;
  readonly items: readonly RankedItem[];
  /** What was computed; where several are for this surface, the first one's arm was acted on. */
  readonly assignments: readonly Assignment[];
  /** Undefined where no model scored: the items then come in the order of the request, with score 0. */
  readonly model: ModelVersion | undefined;
  readonly degraded: readonly DegradedReason[];
  readonly timings: RankTimings;
  /** With `explain`: what every experiment decided, and why. */
  readonly decisions: readonly Decision[] | undefined;
  /** With `explain`, where a model scored. */
  readonly explanation?: RankingExplanation | undefined;
}

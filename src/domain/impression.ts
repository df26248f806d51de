import type { Assignment } from "./assignment.ts";
import type { Attributes, Features } from "./feature.ts";
import type { Interleaving } from "./interleaving.ts";
import type { ModelVersion } from "./model.ts";
import type { DegradedReason, RankedItem, RankTimings } from "./rank.ts";
import type { ServedFeatures } from "./served-features.ts";

/**
 * What was shown: one answered rank request, as it is logged before the answer leaves. Or one arm that a client says it
 * acted on without a rank request: then there are no candidates, no items and no model.
 */
export interface Impression {
  readonly kind: "impression";
  readonly requestId: string;
  /** When the answer was made, or the arm acted on, ms since 1970, UTC. */
  readonly at: number;
  readonly surface: string;
  /** A pseudonym where the configuration asks for them, as the assignments' units are then. */
  readonly userId: string;
  /** The exposures: assignments that were acted on. */
  readonly assignments: readonly Assignment[];
  /** The model that scored; of an interleaved answer the control's, where `interleaving` has both. */
  readonly model: ModelVersion | undefined;
  readonly degraded: readonly DegradedReason[];
  readonly timings: RankTimings;
  /** How many candidates the request had. */
  readonly candidateCount: number;
  readonly items: readonly RankedItem[];
  /** Undefined where the request sent no features, and in the log of a Setlist that did not keep them. */
  readonly sent?: SentFeatures | undefined;
  /** Where the items were drafted of two arms' lists. */
  readonly interleaving?: Interleaving | undefined;
  /** Undefined where the request sent none, and in the log of a Setlist that did not keep them. */
  readonly attributes?: SentAttributes | undefined;
  /**
   * Those that came next in the order, as many as the configuration asks for: ranked and not shown. Their positions go on
   * behind the items'.
   */
  readonly beyondLimit?: readonly RankedItem[] | undefined;
  /** What each model that scored saw, of the share of requests for which the configuration asks for it. */
  readonly served?: readonly ServedFeatures[] | undefined;
}

/** What a request said of its user and its context for targeting, as sent. */
export interface SentAttributes {
  readonly user?: Attributes | undefined;
  readonly context?: Attributes | undefined;
}

/** The features that a request sent inline, as sent: with the store's they are all that serving saw. */
export interface SentFeatures {
  readonly user?: Features | undefined;
  readonly context?: Features | undefined;
  /** One entry a ranked item, in their order. */
  readonly items?: readonly (Features | undefined)[] | undefined;
}

/** A rank request has candidates; only what a client tracked has none. */
export function isTrackedExposure({ candidateCount }: Impression): boolean {
  return candidateCount === 0;
}

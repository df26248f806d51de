import type { Clock } from "../domain/clock.ts";
import { SetlistError } from "../domain/error.ts";
import type { EncodedRequest, FeatureStore, ItemLabels } from "../domain/feature-store.ts";
import type { Model } from "../domain/model.ts";
import type { RankObserver } from "../domain/observers.ts";
import type { DegradedReason, RankRequest } from "../domain/rank.ts";
import type { Scorer, Scores } from "../domain/scorer.ts";
import type { RankingInput, ValuePlan } from "../ranking/ranking.ts";
import { diversityLabels } from "./diversity-labels.ts";
import { isInShare } from "./request-share.ts";
import { type SeenTensors, seenTensors } from "./served-features.ts";

export interface ScoringDependencies {
  readonly features: FeatureStore;
  /** Asked only where a value model has a diversity step. */
  readonly itemLabels?: ItemLabels | undefined;
  readonly scorer: Scorer;
  readonly observer: RankObserver;
  readonly clock: Clock;
  /** Of requests whose features are logged as the model saw them. */
  readonly servedFeatures?: { readonly share: number } | undefined;
}

/** What one scoring notes on its way, also where it then fails. */
export interface ScoringNotes {
  readonly timings: Record<"features" | "queue" | "inference", number>;
  readonly degraded: DegradedReason[];
  /** Of a request of the share. */
  seen?: SeenTensors | undefined;
}

export function newNotes(): ScoringNotes {
  return { timings: { features: 0, queue: 0, inference: 0 }, degraded: [] };
}

/** @throws {SetlistError} INVALID_ARGUMENT where an inline feature does not fit the model. */
export async function encodeFor(
  model: Model,
  request: RankRequest,
  notes: ScoringNotes,
  { features, clock, servedFeatures }: ScoringDependencies,
): Promise<EncodedRequest> {
  const mark = clock.monotonic();
  const encoded = await features.encode(model, request);
  notes.timings.features = clock.monotonic() - mark;
  if (servedFeatures !== undefined && isInShare(servedFeatures.share, request.requestId, "served-features")) {
    notes.seen = seenTensors(model, encoded);
  }
  if (encoded.storeUnavailable) notes.degraded.push("feature-store-unavailable");
  if (encoded.defaultedCount > 0) notes.degraded.push(`defaults:${encoded.defaultedCount}`);
  return encoded;
}

/**
 * Waits for the scores, and reads meanwhile the labels that the plan's diversity goes by.
 * @throws whatever the scorer does.
 */
export async function rankingInput(
  scoring: { readonly model: Model; readonly plan: ValuePlan; readonly scores: Promise<Scores> },
  request: RankRequest,
  notes: ScoringNotes,
  deps: ScoringDependencies,
): Promise<RankingInput> {
  const { clock } = deps;
  const { model, plan } = scoring;
  const { candidates, limit } = request;
  const reading =
    plan.diversity.length === 0 ? undefined : diversityLabels(plan.diversity, candidates, deps.itemLabels);
  const { probabilities, queueMs, inferenceMs } = await scoring.scores;
  notes.timings.queue = queueMs;
  notes.timings.inference = inferenceMs;
  const input = { candidates, probabilities, model, plan, limit };
  if (reading === undefined) return input;
  const mark = clock.monotonic();
  const { labels, storeError } = await reading;
  notes.timings.features += clock.monotonic() - mark;
  if (storeError !== undefined && !notes.degraded.includes("feature-store-unavailable")) {
    deps.observer.fellBack("feature-store-unavailable", request.requestId, storeError);
    notes.degraded.push("feature-store-unavailable");
  }
  return { ...input, labels };
}

/** Why an answer does without the scores, in the words of its `degraded`. */
export function reasonOf(error: unknown): DegradedReason {
  if (error instanceof SetlistError && error.code === "DEADLINE_EXCEEDED") return "deadline";
  if (error instanceof SetlistError && error.code === "RESOURCE_EXHAUSTED") return "overload";
  return "model-unavailable";
}

import type { Assignment } from "../domain/assignment.ts";
import { SetlistError } from "../domain/error.ts";
import type { RankingExplanation } from "../domain/explanation.ts";
import type { Impression } from "../domain/impression.ts";
import type { Model, ModelRef, ValueModelOverride } from "../domain/model.ts";
import type {
  Clock,
  EncodedRequest,
  FeatureStore,
  ItemLabels,
  OutcomeLog,
  RankObserver,
  Scorer,
  StickyArms,
} from "../domain/ports.ts";
import type { DegradedReason, RankAnswer, RankedItem, RankRequest, RankTimings } from "../domain/rank.ts";
import type { ShadowSpec } from "../domain/shadow.ts";
import type { Assigner } from "../experiments/experiments.ts";
import {
  explainRanking,
  incomingOrder,
  type RankingInput,
  rankCandidates,
  valuePlan,
} from "../ranking/ranking.ts";
import type { ConcurrencyLimit } from "./concurrency-limit.ts";
import { type DiversityLabels, diversityLabels } from "./diversity-labels.ts";
import type { RecentRequests } from "./recent-requests.ts";
import { reducedRequest, withUnscored } from "./reduced-request.ts";
import { sentFeatures } from "./sent-features.ts";
import { isInShare, type Shadows } from "./shadows.ts";

/** What a surface falls back to: the model that serves it without an experiment, and how long an answer may take. */
export interface Surface {
  readonly defaultModel: ModelRef;
  readonly timeoutMs: number;
  /** Goes before the models' own value models; an arm's goes before it. */
  readonly valueModel?: ValueModelOverride | undefined;
  /** Scores a share of the requests once they are answered. */
  readonly shadow?: ShadowSpec | undefined;
}

export interface RankDependencies {
  readonly surfaces: ReadonlyMap<string, Surface>;
  readonly assigner: () => Assigner;
  readonly features: FeatureStore;
  /** Asked only where a value model has a diversity step. */
  readonly itemLabels?: ItemLabels | undefined;
  readonly scorer: Scorer;
  readonly concurrency: Pick<ConcurrencyLimit, "isRefusing">;
  readonly log: OutcomeLog;
  /** Keeps the arms of sticky experiments once they are shown; without it none is kept. */
  readonly sticky?: Pick<StickyArms, "keep"> | undefined;
  readonly observer: RankObserver;
  readonly clock: Clock;
  /** Is shown every request that was answered. */
  readonly recent?: Pick<RecentRequests, "note"> | undefined;
  /** Scores the shares of the surfaces that have a shadow model; the rest of the requests pass it by. */
  readonly shadows?: Shadows | undefined;
}

/**
 * One rank request, from the door to the log: assign, features, score, order, record.
 * @param deadline monotonic ms.
 * @param signal aborted where nobody waits for the answer any more: it then stops at the next step and throws.
 * @throws {SetlistError} INVALID_ARGUMENT where an inline feature does not fit the model. Every other fault has a
 *   fallback, in the worst case the order in which the candidates came.
 */
export async function rank(
  request: RankRequest,
  surface: Surface,
  deadline: number,
  deps: RankDependencies,
  signal?: AbortSignal,
): Promise<RankAnswer> {
  const { clock, observer } = deps;
  const began = clock.monotonic();
  const assigner = deps.assigner();
  const facts = {
    user: request.user.attributes,
    context: request.context.attributes,
    session: request.sessionId,
    request: request.requestId,
  };
  const assignments = assigner.assign(request.surface, request.user.id, facts);
  const assigned = clock.monotonic();

  const ranker = rankerOf(assigner, assignments, surface);
  const ordered = await order(request, ranker, deadline, deps, signal);
  signal?.throwIfAborted();
  const answer: RankAnswer = {
    requestId: request.requestId,
    surface: request.surface,
    items: ordered.items,
    assignments,
    model: ordered.model && { name: ordered.model.name, version: ordered.model.version },
    degraded: ordered.degraded,
    timings: { assign: assigned - began, ...ordered.timings },
    decisions: request.explain ? assigner.explain(request.surface, request.user.id, facts) : undefined,
    explanation: ordered.explanation,
  };

  const impression = impressionOf(request, answer, clock.now());
  for (const shown of impression.assignments) {
    if (assigner.isToBeKept(shown)) deps.sticky?.keep(shown);
  }
  try {
    await deps.log.appendImpression(impression);
  } catch (error) {
    observer.impressionDropped(request.requestId, error);
  }
  observer.ranked(impression);
  deps.recent?.note(request);
  const { shadow } = surface;
  if (shadow !== undefined && isInShare(shadow.share, request.requestId)) {
    const { surface, arm } = ranker;
    deps.shadows?.offer({ request, shadow, served: ordered.scored, surface, arm });
  }
  return answer;
}

interface Ordered {
  readonly items: readonly RankedItem[];
  readonly model: Model | undefined;
  readonly degraded: readonly DegradedReason[];
  readonly timings: Omit<RankTimings, "assign">;
  readonly explanation?: RankingExplanation | undefined;
  /** Of all candidates, where a model scored them and its value model had all that it goes by. */
  readonly scored?: RankingInput | undefined;
}

/** Features, scores and order; the order of arrival wherever one of them cannot be had. */
async function order(
  request: RankRequest,
  ranker: Ranker,
  deadline: number,
  deps: RankDependencies,
  signal: AbortSignal | undefined,
): Promise<Ordered> {
  const { clock, scorer } = deps;
  const timings = { features: 0, queue: 0, inference: 0, rank: 0 };
  const degraded: DegradedReason[] = [];
  const fallBack = (reason: DegradedReason, error: unknown): Ordered => {
    deps.observer.fellBack(reason, request.requestId, error);
    degraded.push(reason);
    const items = incomingOrder(request.candidates, request.limit);
    return { items, model: undefined, degraded, timings };
  };

  const model = scorer.resolve(ranker.model);
  if (model === undefined) return fallBack("model-unavailable", `no model ${ranker.model.name} is loaded`);
  const plan = valuePlan(model, ranker.surface, ranker.arm);

  // Before anybody is refused, others are not scored: their order costs half of what their scores do.
  if (deps.concurrency.isRefusing()) return fallBack("overload", "requests are being refused");

  const scoredMax = scorer.candidatesMax();
  const left = Math.max(0, request.candidates.length - scoredMax);
  const scored = left === 0 ? request : reducedRequest(request, scoredMax);

  let mark = clock.monotonic();
  const encoded = await deps.features.encode(model, scored);
  timings.features = clock.monotonic() - mark;
  degraded.push(...shortcomings(encoded));
  if (signal?.aborted === true) {
    encoded.release();
    throw signal.reason;
  }

  // Read while the model runs.
  const reading =
    plan.diversity.length === 0
      ? undefined
      : diversityLabels(plan.diversity, scored.candidates, deps.itemLabels);
  try {
    const scores = await scorer.score(model, encoded, deadline, signal);
    timings.queue = scores.queueMs;
    timings.inference = scores.inferenceMs;
    mark = clock.monotonic();
    let labels: DiversityLabels["labels"] | undefined;
    if (reading !== undefined) {
      const read = await reading;
      labels = read.labels;
      timings.features += clock.monotonic() - mark;
      mark = clock.monotonic();
      if (read.storeError !== undefined && !encoded.storeUnavailable) {
        deps.observer.fellBack("feature-store-unavailable", request.requestId, read.storeError);
        degraded.push("feature-store-unavailable");
      }
    }
    const { candidates, limit } = scored;
    const input = { candidates, probabilities: scores.probabilities, model, plan, labels, limit };
    let items: readonly RankedItem[] = rankCandidates(input);
    if (left > 0) {
      degraded.push(`truncated:${left}`);
      items = withUnscored(items, request, scoredMax);
    }
    const explanation = request.explain ? explainRanking(input) : undefined;
    timings.rank = clock.monotonic() - mark;
    const isWhole = left === 0 && !degraded.includes("feature-store-unavailable");
    return { items, model, degraded, timings, explanation, scored: isWhole ? input : undefined };
  } catch (error) {
    signal?.throwIfAborted();
    return fallBack(reasonOf(error), error);
  }
}

/**
 * The assignments that were acted on: every arm names a model and a request has one, so where layers of one surface
 * both assign an arm, only the first one's was. The others were computed and are in the answer, but they are no exposures.
 */
function exposures(assignments: readonly Assignment[]): readonly Assignment[] {
  return assignments.slice(0, 1);
}

/** Which model ranks, and what is said over its value model. */
interface Ranker {
  readonly model: ModelRef;
  readonly surface: ValueModelOverride | undefined;
  readonly arm: ValueModelOverride | undefined;
}

/** The arm's model, if an arm was given; else the surface's own. */
function rankerOf(assigner: Assigner, assignments: readonly Assignment[], surface: Surface): Ranker {
  const [first] = exposures(assignments);
  const arm = first === undefined ? undefined : assigner.armOf(first);
  return {
    model: arm?.model ?? surface.defaultModel,
    surface: surface.valueModel,
    arm: arm?.valueModel,
  };
}

function shortcomings(encoded: EncodedRequest): DegradedReason[] {
  const reasons: DegradedReason[] = [];
  if (encoded.storeUnavailable) reasons.push("feature-store-unavailable");
  if (encoded.defaultedCount > 0) reasons.push(`defaults:${encoded.defaultedCount}`);
  return reasons;
}

function reasonOf(error: unknown): DegradedReason {
  if (error instanceof SetlistError && error.code === "DEADLINE_EXCEEDED") return "deadline";
  if (error instanceof SetlistError && error.code === "RESOURCE_EXHAUSTED") return "overload";
  return "model-unavailable";
}

function impressionOf(request: RankRequest, answer: RankAnswer, at: number): Impression {
  return {
    kind: "impression",
    requestId: request.requestId,
    at,
    surface: request.surface,
    userId: request.user.id,
    assignments: exposures(answer.assignments),
    model: answer.model,
    degraded: answer.degraded,
    timings: answer.timings,
    candidateCount: request.candidates.length,
    items: answer.items,
    sent: sentFeatures(request, answer.items),
  };
}

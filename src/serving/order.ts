import type { RankingExplanation } from "../domain/explanation.ts";
import type { Model } from "../domain/model.ts";
import type { DegradedReason, RankedItem, RankRequest, RankTimings } from "../domain/rank.ts";
import {
  explainRanking,
  incomingOrder,
  type RankingInput,
  rankCandidates,
  valuePlan,
} from "../ranking/ranking.ts";
import type { ConcurrencyLimit } from "./concurrency-limit.ts";
import type { Ranker } from "./ranker.ts";
import { reducedRequest, withUnscored } from "./reduced-request.ts";
import { encodeFor, newNotes, rankingInput, reasonOf, type ScoringDependencies } from "./scoring.ts";
import type { SeenTensors } from "./served-features.ts";

export interface OrderDependencies extends ScoringDependencies {
  readonly concurrency: Pick<ConcurrencyLimit, "isRefusing">;
}

export interface Ordered {
  readonly items: readonly RankedItem[];
  readonly model: Model | undefined;
  readonly degraded: readonly DegradedReason[];
  readonly timings: Omit<RankTimings, "assign">;
  readonly explanation?: RankingExplanation | undefined;
  /** Of all candidates, where a model scored them and its value model had all that it goes by. */
  readonly scored?: RankingInput | undefined;
  /** What each model that scored was given, of a request of the share that is logged. */
  readonly seen?: readonly SeenTensors[] | undefined;
}

/** Features, scores and order; the order of arrival wherever one of them cannot be had. */
export async function order(
  request: RankRequest,
  ranker: Ranker,
  deadline: number,
  deps: OrderDependencies,
  signal: AbortSignal | undefined,
): Promise<Ordered> {
  const { clock, scorer } = deps;
  const notes = newNotes();
  const { timings, degraded } = notes;
  const fallBack = (reason: DegradedReason, error: unknown): Ordered => {
    deps.observer.fellBack(reason, request.requestId, error);
    const items = incomingOrder(request.candidates, request.limit);
    return { items, model: undefined, degraded: [...degraded, reason], timings: { ...timings, rank: 0 } };
  };

  const model = scorer.resolve(ranker.model);
  if (model === undefined) return fallBack("model-unavailable", `no model ${ranker.model.name} is loaded`);
  // Before anybody is refused, others are not scored: their order costs half of what their scores do.
  if (deps.concurrency.isRefusing()) return fallBack("overload", "requests are being refused");
  const plan = valuePlan(model, ranker.surface, ranker.arm);

  const scored = reducedRequest(request, scorer.candidatesMax());
  const left = request.candidates.length - scored.candidates.length;
  const encoded = await encodeFor(model, scored, notes, deps);
  if (signal?.aborted === true) {
    encoded.release();
    throw signal.reason;
  }
  try {
    const scores = scorer.score(model, encoded, deadline, signal);
    const input = await rankingInput({ model, plan, scores }, scored, notes, deps);
    const mark = clock.monotonic();
    let items: readonly RankedItem[] = rankCandidates(input);
    if (left > 0) {
      degraded.push(`truncated:${left}`);
      items = withUnscored(items, request, scored.candidates.length);
    }
    const explanation = request.explain ? explainRanking(input) : undefined;
    const isWhole = left === 0 && !degraded.includes("feature-store-unavailable");
    return {
      items,
      model,
      degraded,
      timings: { ...timings, rank: clock.monotonic() - mark },
      explanation,
      scored: isWhole ? input : undefined,
      seen: notes.seen && [notes.seen],
    };
  } catch (error) {
    signal?.throwIfAborted();
    return fallBack(reasonOf(error), error);
  }
}

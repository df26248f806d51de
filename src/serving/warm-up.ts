import { setImmediate as nextTurn } from "node:timers/promises";
import type { Clock } from "../domain/clock.ts";
import type { EncodedRequest, FeatureStore } from "../domain/feature-store.ts";
import type { Model } from "../domain/model.ts";
import type { RankRequest } from "../domain/rank.ts";
import type { Scorer } from "../domain/scorer.ts";
import { rankCandidates } from "../ranking/ranking.ts";

/** Enough for the first compiled code; each round takes a few milliseconds. */
const rounds = 5;
const candidateCount = 200;
const deadlineMs = 10_000;

/**
 * Ranks made-up requests with every model, unlogged: the first listener after a start should not be the one who waits
 * for encoder plans and cold code. It took 16 ms in `features` alone without this, 2 to 4 ms with it, on a busy machine.
 */
export async function warmUp(scorer: Scorer, features: FeatureStore, clock: Clock): Promise<void> {
  for (const model of scorer.models()) {
    for (let round = 0; round < rounds; round++) {
      const request = madeUpRequest(model.surface, round);
      const encoded = await features.encode(model, request);
      const { probabilities } = await scorer.score(model, encoded, clock.monotonic() + deadlineMs);
      rankCandidates({ candidates: request.candidates, probabilities, model, limit: undefined });
    }
  }
}

/**
 * Ranks with a model that nobody can find yet what listeners asked for of late, unlogged: its rows of users and items
 * are then there, and what it would have answered is known to be an order. Other requests get their turn in between.
 * @throws {Error} where a request does not fit the model, or gets no order from it.
 */
export async function warmModel(
  model: Model,
  features: FeatureStore,
  recent: readonly RankRequest[],
  score: (request: EncodedRequest) => Promise<Float32Array>,
): Promise<void> {
  for (const request of [madeUpRequest(model.surface, 0), ...recent]) {
    const encoded = await features.encode(model, request);
    const probabilities = await score(encoded);
    if (!probabilities.every(Number.isFinite)) {
      throw new Error(
        `model ${model.name}/${model.version}: expected probabilities for a request that was asked of late, found what is no number`,
      );
    }
    rankCandidates({ candidates: request.candidates, probabilities, model, limit: request.limit });
    await nextTurn();
  }
}

function madeUpRequest(surface: string, round: number): RankRequest {
  const nothing = {};
  return {
    requestId: "warm-up",
    surface,
    user: { id: "warm-up", attributes: nothing, features: nothing },
    context: { attributes: nothing, features: nothing },
    candidates: Array.from({ length: candidateCount }, (_, i) => ({ id: `warm-up-${round}-${i}` })),
    limit: undefined,
    timeoutMs: undefined,
    explain: false,
  };
}

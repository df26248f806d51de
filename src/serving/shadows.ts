import { SetlistError } from "../domain/error.ts";
import type { Model, ValueModelOverride } from "../domain/model.ts";
import { murmur3 } from "../domain/murmur3.ts";
import type { Clock, FeatureStore, ItemLabels, OutcomeLog, Scorer, ShadowObserver } from "../domain/ports.ts";
import type { RankRequest } from "../domain/rank.ts";
import type { ShadowComparison, ShadowSpec } from "../domain/shadow.ts";
import { agreement, candidateScores, type RankingInput, valuePlan } from "../ranking/ranking.ts";
import { checkWeighedTasks } from "../schema/value-model.ts";
import { diversityLabels } from "./diversity-labels.ts";

/** A request that was answered, for a shadow model to score. */
export interface AnsweredRequest {
  readonly request: RankRequest;
  readonly shadow: ShadowSpec;
  /** What the served model made of all candidates; undefined where there is no such thing to compare with. */
  readonly served: RankingInput | undefined;
  /** What went before the served model's own value model goes before the shadow's too: the models differ, not the rules. */
  readonly surface: ValueModelOverride | undefined;
  readonly arm: ValueModelOverride | undefined;
}

export interface ShadowDependencies {
  readonly features: Pick<FeatureStore, "encode">;
  readonly itemLabels?: ItemLabels | undefined;
  readonly scorer: Pick<Scorer, "resolve" | "candidatesMax" | "scoreSpare">;
  readonly log: Pick<OutcomeLog, "appendShadow">;
  readonly observer: ShadowObserver;
  readonly clock: Clock;
}

/** Those that wait hold their request's bytes and the served probabilities: 32 of 200 candidates are about 200 KB. */
const pendingMax = 32;

/**
 * Turns of the event loop in which an answer leaves once ranking has ended: one over HTTP or a stream, two over gRPC,
 * whose trailers follow the message. The others are in reserve: a turn with nothing to do costs next to nothing.
 */
const turnsOfAnAnswer = 4;

/** Whether the request is of a surface's share; the same request always is, or never. */
export function isInShare(share: number, requestId: string): boolean {
  if (share <= 0 || share >= 1) return share >= 1;
  return murmur3(`shadow:${requestId}`) / 2 ** 32 < share;
}

/**
 * Scores answered requests with a surface's shadow model and compares the two orders, one request at a time, only while
 * no request is being ranked: those go first, and what waits for too long is dropped. Nothing that happens here reaches
 * a request.
 */
export class Shadows {
  readonly #deps: ShadowDependencies;
  /** Oldest first. */
  readonly #pending: AnsweredRequest[] = [];
  #ranking = 0;
  /** Of the event loop, until the latest answer has left. */
  #turnsLeft = 0;
  #comparing: Promise<void> | undefined;
  #closed = false;

  constructor(deps: ShadowDependencies) {
    this.#deps = deps;
  }

  /** A request begins to be ranked; `end` has to follow, however that ends. */
  begin(): void {
    this.#ranking += 1;
  }

  end(): void {
    this.#ranking -= 1;
    this.#wake();
  }

  /** Takes a request of the share whose answer is about to leave; `end` of that request begins what is to be done. */
  offer(answered: AnsweredRequest): void {
    // Inference is behind: it scores requests in part, and has no time for this, nor soon.
    const isBehind = this.#deps.scorer.candidatesMax() !== Number.POSITIVE_INFINITY;
    if (answered.served === undefined) this.#settle(answered, "skipped");
    else this.#pending.push(answered);
    const kept = this.#closed || isBehind ? 0 : pendingMax;
    while (this.#pending.length > kept) this.#settle(this.#pending.shift() as AnsweredRequest, "dropped");
  }

  /** Drops what waits; resolves once nothing is being compared any more. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const answered of this.#pending.splice(0)) this.#settle(answered, "dropped");
    await this.#comparing;
  }

  /** Goes on once the answers that were made by now have left. */
  #wake(): void {
    if (this.#pending.length === 0) return;
    const isWaiting = this.#turnsLeft > 0;
    this.#turnsLeft = turnsOfAnAnswer;
    if (!isWaiting) setImmediate(() => this.#turn());
  }

  #turn(): void {
    this.#turnsLeft -= 1;
    if (this.#turnsLeft > 0) setImmediate(() => this.#turn());
    else this.#next();
  }

  #next(): void {
    if (this.#ranking > 0 || this.#comparing !== undefined) return;
    const answered = this.#pending.shift();
    if (answered === undefined) return;
    this.#comparing = this.#compare(answered).finally(() => {
      this.#comparing = undefined;
      this.#wake();
    });
  }

  /** Never rejects. */
  async #compare(answered: AnsweredRequest): Promise<void> {
    const { log, observer } = this.#deps;
    const { surface, requestId } = answered.request;
    let comparison: ShadowComparison | "later" | undefined;
    try {
      comparison = await this.#comparisonOf(answered);
    } catch (error) {
      const isBusy = error instanceof SetlistError && error.code === "RESOURCE_EXHAUSTED";
      return observer.settled(surface, isBusy ? "dropped" : "failed", requestId, error);
    }
    if (comparison === undefined) return this.#settle(answered, "skipped");
    if (comparison === "later") {
      if (this.#closed) this.#settle(answered, "dropped");
      else this.#pending.unshift(answered);
      return;
    }
    observer.compared(comparison);
    try {
      await log.appendShadow(comparison);
      observer.settled(surface, "compared", requestId);
    } catch (error) {
      observer.settled(surface, "unlogged", requestId, error);
    }
  }

  /**
   * Undefined where there is nothing to compare: the features could not be had, or the shadow model itself served, which
   * would only say that it agrees with itself. `later` where a request came while features were read for the
   * first time, which the next time will be quick.
   * @throws whatever keeps the shadow model from scoring.
   */
  async #comparisonOf(answered: AnsweredRequest): Promise<ShadowComparison | "later" | undefined> {
    const { features, scorer, clock } = this.#deps;
    const { request, shadow } = answered;
    const served = answered.served as RankingInput;
    const model = scorer.resolve(shadow.model);
    if (model === undefined) throw new SetlistError("UNAVAILABLE", `no model ${shadow.model.name} is loaded`);
    const { name, version } = model;
    if (name === served.model.name && version === served.model.version) return undefined;
    const rules = await this.#rulesFor(model, answered);
    if (rules === undefined) return undefined;

    const encoded = await features.encode(model, request);
    if (encoded.storeUnavailable || this.#ranking > 0) {
      encoded.release();
      return encoded.storeUnavailable ? undefined : "later";
    }
    const probabilities = await scorer.scoreSpare(model, encoded);
    const { candidates } = request;
    const scores = candidateScores({ candidates, probabilities, model, ...rules, limit: undefined });
    return {
      kind: "shadow",
      requestId: request.requestId,
      at: clock.now(),
      surface: request.surface,
      model: { name: served.model.name, version: served.model.version },
      shadow: { name, version },
      candidateCount: candidates.length,
      topK: shadow.topK,
      ...agreement(candidateScores(served), scores, shadow.topK),
    };
  }

  /** The value model, and the labels that its diversity goes by; undefined where those could not be had. */
  async #rulesFor(
    model: Model,
    { request, surface, arm }: AnsweredRequest,
  ): Promise<Pick<RankingInput, "plan" | "labels"> | undefined> {
    // The surface's was held against the model when the server started; an arm may weigh what only its models have.
    if (arm !== undefined) {
      checkWeighedTasks(arm, "the arm's valueModel", model.tasks, `${model.name}/${model.version}`);
    }
    const plan = valuePlan(model, surface, arm);
    if (plan.diversity.length === 0) return { plan };
    const { labels, storeError } = await diversityLabels(
      plan.diversity,
      request.candidates,
      this.#deps.itemLabels,
    );
    return storeError === undefined ? { plan, labels } : undefined;
  }

  #settle({ request }: AnsweredRequest, result: "skipped" | "dropped"): void {
    this.#deps.observer.settled(request.surface, result, request.requestId);
  }
}

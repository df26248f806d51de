import type { Clock } from "../domain/clock.ts";
import { SetlistError } from "../domain/error.ts";
import type { FeatureStore, ItemLabels } from "../domain/feature-store.ts";
import type { Model, ModelVersion, ValueModelOverride } from "../domain/model.ts";
import type { ShadowObserver } from "../domain/observers.ts";
import type { Comparison, OutcomeLog } from "../domain/outcome-log.ts";
import type { Candidate, RankRequest } from "../domain/rank.ts";
import type { Scorer } from "../domain/scorer.ts";
import type { ShadowResult, ShadowSpec } from "../domain/shadow.ts";
import {
  agreement,
  candidateScores,
  type RankingInput,
  topAgreement,
  valuePlan,
} from "../ranking/ranking.ts";
import { checkWeighedTasks } from "../schema/value-model.ts";
import { diversityLabels } from "./diversity-labels.ts";

/** Whose place a model takes where it stands for another arm of an experiment. */
export interface OtherArm {
  readonly experiment: string;
  readonly phase: number;
  /** The one that the unit has, and the one that looks on. */
  readonly served: string;
  readonly other: string;
}

/** A request that was answered, for another model to score: a surface's shadow, or another arm's. */
export interface AnsweredRequest {
  readonly request: RankRequest;
  readonly shadow: ShadowSpec;
  /** Undefined for a surface's shadow model. */
  readonly otherArm?: OtherArm | undefined;
  /** What the served model made of all candidates; undefined where there is no such thing to compare with. */
  readonly served: RankingInput | undefined;
  /**
   * What goes before the looking-on model's own value model. Of a shadow model it is what went before the served one's: the
   * models differ, not the rules. Another arm has its own.
   */
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

/**
 * Scores answered requests with another model, a surface's shadow or another arm's, and compares the two orders, one
 * request at a time, only while no request is being ranked: those go first, and what waits for too long is dropped.
 * Nothing that happens here reaches a request.
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
    let comparison: Comparison | "later" | undefined;
    try {
      comparison = await this.#comparisonOf(answered);
    } catch (error) {
      const isBusy = error instanceof SetlistError && error.code === "RESOURCE_EXHAUSTED";
      return this.#settle(answered, isBusy ? "dropped" : "failed", error);
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
      this.#settle(answered, "compared");
    } catch (error) {
      this.#settle(answered, "unlogged", error);
    }
  }

  /**
   * Undefined where there is nothing to compare: the features could not be had, or the shadow model itself served, which
   * would only say that it agrees with itself. `later` where a request came while features were read for the
   * first time, which the next time will be quick.
   * @throws whatever keeps the model from scoring.
   */
  async #comparisonOf(answered: AnsweredRequest): Promise<Comparison | "later" | undefined> {
    const { scorer } = this.#deps;
    const { shadow, otherArm } = answered;
    const served = answered.served as RankingInput;
    const model = scorer.resolve(shadow.model);
    if (model === undefined) throw new SetlistError("UNAVAILABLE", `no model ${shadow.model.name} is loaded`);
    const hasServed = model.name === served.model.name && model.version === served.model.version;
    if (hasServed && otherArm === undefined) return undefined;
    const rules = await this.#rulesFor(model, answered);
    if (rules === undefined) return undefined;

    // Arms may differ in nothing but their value models: what the model says of the candidates is there already.
    const probabilities = hasServed ? served.probabilities : await this.#scoresOf(model, answered.request);
    if (probabilities === undefined || probabilities === "later") return probabilities;
    const { candidates } = answered.request;
    const scores = candidateScores({ candidates, probabilities, model, ...rules, limit: undefined });
    return otherArm === undefined
      ? this.#shadowComparison(answered, model, candidateScores(served), scores)
      : this.#counterfactual(answered, otherArm, model, candidateScores(served), scores);
  }

  /** Undefined where the features could not be had; `later` as above. @throws whatever keeps the model from scoring. */
  async #scoresOf(model: Model, request: RankRequest): Promise<Float32Array | "later" | undefined> {
    const { features, scorer } = this.#deps;
    const encoded = await features.encode(model, request);
    if (encoded.storeUnavailable || this.#ranking > 0) {
      encoded.release();
      return encoded.storeUnavailable ? undefined : "later";
    }
    return scorer.scoreSpare(model, encoded);
  }

  #shadowComparison(
    { request, shadow, served }: AnsweredRequest,
    model: Model,
    servedScores: Float64Array,
    scores: Float64Array,
  ): Comparison {
    return {
      kind: "shadow",
      requestId: request.requestId,
      at: this.#deps.clock.now(),
      surface: request.surface,
      model: versionOf((served as RankingInput).model),
      shadow: versionOf(model),
      candidateCount: request.candidates.length,
      topK: shadow.topK,
      ...agreement(servedScores, scores, shadow.topK),
    };
  }

  #counterfactual(
    { request, shadow, served }: AnsweredRequest,
    { experiment, phase, served: arm, other }: OtherArm,
    model: Model,
    servedScores: Float64Array,
    scores: Float64Array,
  ): Comparison {
    const { overlap, agreeing, best } = topAgreement(servedScores, scores, shadow.topK);
    return {
      kind: "counterfactual",
      requestId: request.requestId,
      at: this.#deps.clock.now(),
      surface: request.surface,
      experiment,
      phase,
      arm,
      model: versionOf((served as RankingInput).model),
      other,
      otherModel: versionOf(model),
      propensity: shadow.share,
      candidateCount: request.candidates.length,
      topK: shadow.topK,
      overlap,
      agreeing,
      otherIds: Array.from(best, (place) => (request.candidates.at(place) as Candidate).id),
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

  #settle({ request, otherArm }: AnsweredRequest, result: ShadowResult, error?: unknown): void {
    const { observer } = this.#deps;
    if (otherArm === undefined) observer.settled(request.surface, result, request.requestId, error);
    else observer.settledOtherArm(otherArm.experiment, result, request.requestId, error);
  }
}

function versionOf({ name, version }: Model): ModelVersion {
  return { name, version };
}

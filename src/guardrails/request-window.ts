import { type ArmCounts, latencyBuckets } from "../domain/arm-counts.ts";
import type { Arm } from "../domain/experiment.ts";
import type { GuardrailHealth } from "../domain/experiment-health.ts";
import type { ArmEvidence, RequestGuardrail } from "../domain/guardrail.ts";
import { durationMs } from "../experiments/experiments.ts";
import { type Counts, judgeRequests } from "./request-verdict.ts";
import { worst } from "./worst.ts";

/**
 * What one guardrail counts. Windows of one length follow one another from the phase's beginning, so that an arm that was
 * good for a week and is bad now is found out; the k-th window's test may be wrong with a probability of
 * `alpha / (k (k + 1))`, which adds up to alpha over all of them (alpha spending over a countable family of tests). Each
 * arm but control gets an equal part of that.
 */
export class RequestWindow {
  readonly #guardrail: RequestGuardrail;
  readonly #began: number;
  readonly #windowMs: number;
  #number = 0;
  #since = 0;
  /** As the window before this one ended. */
  #wasHealthy = false;
  #last: GuardrailHealth | undefined;
  #arms = new Map<string, Mutable>();

  /** @param began the phase, ms since 1970. */
  constructor(guardrail: RequestGuardrail, began: number) {
    this.#guardrail = guardrail;
    this.#began = began;
    this.#windowMs = durationMs(guardrail.window);
  }

  /**
   * Counts belong to the window in which they are handed over.
   * @param from when what is handed over for the first time may have begun. @param now ms since 1970, as `from`.
   */
  add(counts: readonly ArmCounts[], from: number, now: number): void {
    this.#turn(now, from);
    for (const one of counts) {
      const sum = this.#arms.get(one.arm) ?? noCounts();
      sum.requests += one.requests;
      sum.errors += one.errors;
      sum.fallbacks += one.fallbacks;
      for (const [bucket, count] of one.latencies.entries()) {
        if (count > 0) sum.latencies[bucket] = (sum.latencies[bucket] as number) + count;
      }
      this.#arms.set(one.arm, sum);
    }
  }

  /** A window that has just begun and has too few requests to tell is as healthy as the one before it. */
  judge(arms: readonly Arm[], now: number): GuardrailHealth {
    this.#turn(now);
    const { id, kind, action, alpha, minimum } = this.#guardrail;
    const treated = arms.filter(({ control, weight }) => !control && weight > 0);
    const controlId = arms.find(({ control }) => control)?.id ?? "";
    const windowAlpha = alpha / (this.#number * (this.#number + 1)) / Math.max(1, treated.length);
    const evidence = treated.map((arm): ArmEvidence => {
      const counts = this.#arms.get(arm.id) ?? noCounts();
      const seen = judgeRequests(this.#guardrail, arm.id, counts, this.#arms.get(controlId), windowAlpha);
      const isNew = seen.count < minimum || (seen.controlCount ?? minimum) < minimum;
      return seen.state === "undecided" && isNew && this.#wasHealthy ? { ...seen, state: "healthy" } : seen;
    });
    this.#last = {
      guardrail: id,
      kind,
      action,
      state: worst(evidence),
      alpha: windowAlpha,
      since: new Date(this.#since).toISOString(),
      arms: evidence,
    };
    return this.#last;
  }

  #turn(now: number, from = now): void {
    const number = Math.floor(Math.max(0, now - this.#began) / this.#windowMs) + 1;
    if (number === this.#number) return;
    this.#wasHealthy = number === this.#number + 1 && this.#last?.state === "healthy";
    const begins = this.#began + (number - 1) * this.#windowMs;
    this.#since = this.#number === 0 ? Math.max(begins, from) : begins;
    this.#number = number;
    this.#arms = new Map();
  }
}

type Mutable = { -readonly [Name in keyof Counts]: Counts[Name] };

function noCounts(): Mutable {
  return { requests: 0, errors: 0, fallbacks: 0, latencies: new Uint32Array(latencyBuckets + 1) };
}

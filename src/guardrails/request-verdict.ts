import { type ArmCounts, latencyBound, latencyBucket, latencyBucketsAbove } from "../domain/arm-counts.ts";
import type {
  ArmEvidence,
  GuardrailState,
  LatencyGuardrail,
  RateGuardrail,
  RequestGuardrail,
} from "../domain/guardrail.ts";
import { counted } from "../domain/number-text.ts";
import {
  type Events,
  evidenceAbove,
  evidenceOfHigherQuantile,
  evidenceOfHigherShare,
  proportionLow,
  quantileBucket,
} from "../statistics/statistics.ts";
import { milliseconds, percent, whole } from "./evidence-text.ts";

/** What was counted of an arm; of which experiment and phase is known by then. */
export type Counts = Pick<ArmCounts, "requests" | "errors" | "fallbacks" | "latencies">;

const quantile = 0.99;

/**
 * What a guardrail says of one arm. It is breached where the counts prove at level `alpha` that the bound is exceeded,
 * healthy where they look no worse than the bound, and undecided else; undecided too where there are fewer than the
 * guardrail's minimum: requests that come close together are slow together, in a pause of the machine for instance, and
 * a test that takes them for independent could be convinced by three of them.
 * @param control undefined where nothing was counted of it.
 */
export function judgeRequests(
  guardrail: RequestGuardrail,
  arm: string,
  counts: Counts,
  control: Counts | undefined,
  alpha: number,
): ArmEvidence {
  return guardrail.kind === "latency-p99"
    ? judgeLatency(guardrail, arm, counts, control, alpha)
    : judgeRate(guardrail, arm, counts, control, alpha);
}

function rateOf({ kind }: RateGuardrail, { requests, errors, fallbacks }: Counts): Events {
  return kind === "error-rate"
    ? { events: errors, trials: requests + errors }
    : { events: fallbacks, trials: requests };
}

function judgeRate(
  guardrail: RateGuardrail,
  arm: string,
  counts: Counts,
  controlCounts: Counts | undefined,
  alpha: number,
): ArmEvidence {
  const { events, trials } = rateOf(guardrail, counts);
  const did = guardrail.kind === "error-rate" ? "failed" : "fell back";
  const none = { arm, state: "undecided", count: trials } as const;
  if (trials === 0) return { ...none, detail: "no requests" };
  const estimate = events / trials;
  const { minimum, max } = guardrail;
  if (max !== undefined) {
    const isProven = evidenceAbove(events, trials, max) >= -Math.log(alpha);
    const low = proportionLow(events, trials, alpha);
    return {
      arm,
      state: stateOf(trials >= minimum, isProven, estimate <= max),
      count: trials,
      estimate,
      bound: max,
      detail: `${percent(estimate)} of ${counted(trials, "request")} ${did}, ${percent(low)} at least; allowed ${percent(max)}`,
    };
  }
  const { margin = 0 } = guardrail;
  const control = controlCounts && rateOf(guardrail, controlCounts);
  if (control === undefined || control.trials === 0) {
    return { ...none, estimate, controlCount: 0, detail: "no requests of control" };
  }
  const controlRate = control.events / control.trials;
  const evidence = evidenceOfHigherShare({ events, trials }, control, margin);
  const isEnough = trials >= minimum && control.trials >= minimum;
  const bound = controlRate + margin;
  return {
    arm,
    state: stateOf(isEnough, evidence >= -Math.log(alpha), estimate <= bound),
    count: trials,
    controlCount: control.trials,
    estimate,
    control: controlRate,
    bound,
    detail: `${percent(estimate)} of ${counted(trials, "request")} ${did}, of control's ${whole(control.trials)} ${percent(controlRate)}; allowed ${percent(margin)} more; p ${pValueOf(evidence)}`,
  };
}

function judgeLatency(
  { minimum, maxMs, margin = 0 }: LatencyGuardrail,
  arm: string,
  { requests, latencies }: Counts,
  control: Counts | undefined,
  alpha: number,
): ArmEvidence {
  const none = { arm, state: "undecided", count: requests } as const;
  if (requests === 0) return { ...none, detail: "no requests" };
  if (maxMs !== undefined) {
    const allowed = latencyBucket(maxMs);
    const at = quantileBucket(latencies, quantile);
    const slower = latencies.subarray(allowed + 1).reduce((sum, count) => sum + count, 0);
    const isProven = evidenceAbove(slower, requests, 1 - quantile) >= -Math.log(alpha);
    const low = proportionLow(slower, requests, alpha);
    return {
      arm,
      state: stateOf(requests >= minimum, isProven, at <= allowed),
      count: requests,
      estimate: latencyBound(at),
      bound: maxMs,
      detail: `p99 is ${milliseconds(latencyBound(at))}; ${percent(slower / requests)} of ${counted(requests, "request")} took more than ${milliseconds(maxMs)}, ${percent(low)} at least; allowed ${percent(1 - quantile)}`,
    };
  }
  const estimate = latencyBound(quantileBucket(latencies, quantile));
  if (control === undefined || control.requests === 0) {
    return { ...none, estimate, controlCount: 0, detail: "no requests of control" };
  }
  const evidence = evidenceOfHigherQuantile(
    latencies,
    control.latencies,
    quantile,
    latencyBucketsAbove(1 + margin),
  );
  const controlP99 = latencyBound(quantileBucket(control.latencies, quantile));
  const bound = controlP99 * (1 + margin);
  const isEnough = requests >= minimum && control.requests >= minimum;
  return {
    arm,
    state: stateOf(isEnough, evidence >= -Math.log(alpha), estimate <= bound),
    count: requests,
    controlCount: control.requests,
    estimate,
    control: controlP99,
    bound,
    detail: `p99 is ${milliseconds(estimate)} over ${counted(requests, "request")}, control's ${milliseconds(controlP99)} over ${whole(control.requests)}; allowed ${percent(margin)} more; p ${pValueOf(evidence)}`,
  };
}

/** Valid at every look: the inverse of the evidence. */
function pValueOf(logEvidence: number): string {
  return Math.min(1, Math.exp(-logEvidence)).toPrecision(2);
}

function stateOf(isEnough: boolean, isProven: boolean, looksWell: boolean): GuardrailState {
  if (!isEnough) return "undecided";
  if (isProven) return "breached";
  return looksWell ? "healthy" : "undecided";
}

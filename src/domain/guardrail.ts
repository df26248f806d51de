/**
 * Text such as `90s`, `30m`, `24h` or `7d`: of documents that people write and read, where milliseconds would be noise.
 */
export type Duration = string;

/** One step of a ramp: a share of the layer, and for how long. */
export interface RampStep {
  readonly traffic: number;
  /** Undefined of the last step alone, which has no end. */
  readonly for?: Duration | undefined;
}

/** `hold` keeps a ramp from going on; `rollback` takes the experiment away from everyone. */
export type GuardrailAction = "hold" | "rollback";

interface GuardrailCommons {
  /** Unique in its experiment. */
  readonly id: string;
  readonly action: GuardrailAction;
  /** The chance of an alarm where nothing is wrong, over the whole life of a phase, however often it is checked. */
  readonly alpha: number;
  /** How many requests (of `srm` and `metric`: units) each arm needs before anything is said of it. */
  readonly minimum: number;
  /** Who is to hear of a breach; whoever wrote the experiment last where undefined. */
  readonly owner?: string | undefined;
}

/** Of requests: judged on what this server answered, in windows of this length one after the other. */
interface RequestGuardrailCommons extends GuardrailCommons {
  readonly window: Duration;
}

/** One of the two is there: an absolute bound, or how much worse than control an arm may be. */
export interface LatencyGuardrail extends RequestGuardrailCommons {
  readonly kind: "latency-p99";
  readonly maxMs?: number | undefined;
  /** Of control's p99: 0.2 allows one that is a fifth higher. */
  readonly margin?: number | undefined;
}

/** Requests of an arm that ended in an error, or whose answer is without its model's scores. */
export interface RateGuardrail extends RequestGuardrailCommons {
  readonly kind: "error-rate" | "fallback-rate";
  /** In [0, 1). */
  readonly max?: number | undefined;
  /** Over control's rate: 0.01 allows one percentage point more. */
  readonly margin?: number | undefined;
}

export type RequestGuardrail = LatencyGuardrail | RateGuardrail;

/** Units by arm against the weights. */
export interface SampleRatioGuardrail extends GuardrailCommons {
  readonly kind: "srm";
}

/** One of the experiment's metrics. */
export interface MetricGuardrail extends GuardrailCommons {
  readonly kind: "metric";
  readonly metric: string;
  /** Of control's mean: 0.05 allows an arm that is a twentieth worse, in the metric's goal. */
  readonly margin: number;
}

/** Judged by the analysis of the log: all units of the phase, from its beginning. */
export type LogGuardrail = SampleRatioGuardrail | MetricGuardrail;
export type Guardrail = RequestGuardrail | LogGuardrail;

export function isRequestGuardrail(guardrail: Guardrail): guardrail is RequestGuardrail {
  return guardrail.kind !== "srm" && guardrail.kind !== "metric";
}

/** `undecided` where there is too little to tell, or an arm looks worse than allowed and nothing proves it yet. */
export type GuardrailState = "healthy" | "undecided" | "breached";

/** What one guardrail saw of one arm. */
export interface ArmEvidence {
  readonly arm: string;
  readonly state: GuardrailState;
  /** Requests, or units, of the arm and of control. */
  readonly count: number;
  readonly controlCount?: number | undefined;
  /** Latencies in ms; rates, and units by arm, as shares; a metric's mean. Undefined where there is nothing yet. */
  readonly estimate?: number | undefined;
  readonly control?: number | undefined;
  /** What `estimate` may not exceed (of a metric that should increase: fall below), as things stand now. */
  readonly bound?: number | undefined;
  /** How sure it is, for people. */
  readonly detail: string;
}

/** A breach as it is kept with the experiment, until it is over or somebody takes it back. */
export interface Breach {
  readonly guardrail: string;
  readonly kind: Guardrail["kind"];
  readonly action: GuardrailAction;
  readonly alpha: number;
  /** Detected, ISO 8601 UTC. */
  readonly at: string;
  readonly since: string;
  readonly evidence: ArmEvidence;
  /** The guardrail's owner, or whoever wrote the experiment last. */
  readonly thanks: string;
}

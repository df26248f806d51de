/** What a log or a table says of each arm, before anything is judged. */
import type { Answer, Estimate, ExposedArm, JointMoments, SkewedMoments } from "../statistics/statistics.ts";
import type { Measure } from "./measure.ts";

export interface Measured {
  readonly measures: readonly Measure[];
  readonly pasts: readonly MetricPast[];
  /** Of each arm; quantiles have none. */
  readonly skewed: readonly { readonly metric: string; readonly arms: readonly SkewedMoments[] }[];
  readonly strata: Strata;
  /** By arm, units that were assigned and ranked for, and those of them that saw the arm; none of a table. */
  readonly exposed: readonly ExposedArm[];
  /** By arm; none of a table. */
  readonly timings: readonly ArmTimings[];
}

/** What was known of the units before they were exposed. */
export interface MetricPast {
  readonly metric: string;
  /** Of each arm the metric as it was then; undefined for an attribute. */
  readonly estimates: readonly (Estimate | undefined)[] | undefined;
  /** Of each arm, the covariates alone. */
  readonly covariates: readonly JointMoments[];
}

/** Of the units' first requests; none of a table. */
export type Strata = Readonly<Record<"days" | "surfaces" | "latencies", readonly StratumUnits[]>>;

/** Units of one stratum by arm. */
export interface StratumUnits {
  readonly name: string;
  readonly units: readonly number[];
}

/** Of an arm, over the requests that it ranked. */
export interface ArmTimings {
  /** Milliseconds from a request's coming to its answer, in the server. */
  readonly latency: Answer<Estimate>;
  /** Of these the model's own. */
  readonly model: Answer<Estimate>;
}

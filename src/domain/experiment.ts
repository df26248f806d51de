import type { CounterfactualSpec } from "./counterfactual.ts";
import type { Breach, Duration, Guardrail, RampStep } from "./guardrail.ts";
import type { ModelRef, ValueModelOverride } from "./model.ts";

export type ExperimentStatus = "draft" | "running" | "paused" | "stopped";

/**
 * What is randomised: the user, the session or the request that the request names, or the value of an attribute, such as
 * `user.household` or `context.device`.
 */
export type Unit = "user" | "session" | "request" | `user.${string}` | `context.${string}`;

/** Another experiment, and those of its arms whose units alone may enter. */
export interface Prerequisite {
  readonly experiment: string;
  readonly arms: readonly string[];
}

/** A share of units that is kept outside every experiment of some layers. */
export interface Holdout {
  readonly id: string;
  /** Undefined for all layers, also those to come. */
  readonly layers?: readonly string[] | undefined;
  /** In [0, 1]; raising it only adds units. */
  readonly share: number;
  readonly unit: Unit;
}

export interface Arm {
  readonly id: string;
  readonly control: boolean;
  /** Share of [0, 1) relative to the other arms' weights. */
  readonly weight: number;
  readonly model: ModelRef;
  /** Goes before the surface's value model, and that before the model's own. */
  readonly valueModel?: ValueModelOverride | undefined;
  /** What a thousand of its requests cost, in a unit of the operator's own, the same for all arms. */
  readonly cost?: number | undefined;
}

/** What is measured per unit: outcomes of one type, folded by `aggregate`. */
export interface Metric {
  readonly id: string;
  readonly type: "mean" | "proportion" | "ratio" | "quantile";
  readonly outcome: string;
  /**
   * Of a unit's outcomes: `count`, or of their values `sum`, `mean` and `last` (by when they occurred); `any` is 1 for a
   * unit with at least one (a proportion). `quantile` folds nothing: it is over the outcomes of all units of an arm.
   */
  readonly aggregate: "count" | "sum" | "any" | "mean" | "last" | "quantile";
  readonly goal: "increase" | "decrease";
  readonly role: "primary" | "secondary" | "guardrail";
  /** CEL over `outcome` and `item`: only outcomes for which it is true count. */
  readonly filter?: string | undefined;
  /** Of a ratio. */
  readonly denominator?: MetricDenominator | undefined;
  /** Which quantile, in (0, 1). */
  readonly quantile?: number | undefined;
  /** Counts outcomes only so long after the unit's first exposure. */
  readonly window?: Duration | undefined;
  /** Units above this quantile of all units count as much as it, in [0.5, 1). */
  readonly winsorise?: number | undefined;
  /** The smallest relative difference that would matter: what power is planned for. */
  readonly minimumEffect?: number | undefined;
  /** How much worse than control an arm may be, as a share of control: for a test of "not worse". */
  readonly margin?: number | undefined;
  /** `none`, how long before its first exposure a unit's past begins, or an attribute; undefined is a past of 14 days. */
  readonly covariate?: string | undefined;
}

export interface MetricDenominator {
  /** Undefined for `requests`. */
  readonly outcome?: string | undefined;
  /** As of a metric; `requests` counts the unit's own, answered in this experiment. */
  readonly aggregate: "count" | "sum" | "any" | "requests";
  readonly filter?: string | undefined;
}

/** When a result counts, fixed before the first look. */
export interface AnalysisPlan {
  readonly kind: "fixed" | "always-valid" | "group-sequential";
  /** Of all arms together: where it ends; the always-valid interval is tightest there. */
  readonly units?: number | undefined;
  /** UTC, ISO 8601: where a fixed one ends that names no units. */
  readonly end?: string | undefined;
  /** Of a group-sequential one: shares of the units, ascending, the last one 1. */
  readonly looks?: readonly number[] | undefined;
  readonly spending?: "obrien-fleming" | "pocock" | undefined;
}

/** Part of a layer: [from, to) within [0, 1). */
export interface TrafficRange {
  readonly from: number;
  readonly to: number;
}

/** What a person writes. */
export interface ExperimentDocument {
  readonly id: string;
  /**
   * `interleave` drafts the lists of its two arms into every answer; undefined gives each unit one arm (A/B), so that a
   * document from before there were kinds says the same.
   */
  readonly kind?: "interleave" | undefined;
  readonly description: string;
  readonly surface: string;
  readonly layer: string;
  readonly unit: Unit;
  readonly salt: string;
  /** Share of the layer, in [0, 1]. */
  readonly traffic: number;
  readonly status: ExperimentStatus;
  /** In the order in which they take [0, 1). Exactly one is the control. */
  readonly arms: readonly Arm[];
  /** A CEL expression over `user.*` and `context.*` attributes; undefined targets every unit. */
  readonly targeting?: string | undefined;
  /** Every one has to hold; undefined where there is none. */
  readonly prerequisites?: readonly Prerequisite[] | undefined;
  /** A unit that was shown an arm keeps it, whatever becomes of weights, salt and phase. */
  readonly sticky?: boolean | undefined;
  /** Unit id to arm id: forced, never analysed. */
  readonly overrides: Readonly<Record<string, string>>;
  readonly metrics: readonly Metric[];
  /** Undefined has no end: its results hold whenever one looks. */
  readonly plan?: AnalysisPlan | undefined;
  /** Attributes into whose levels the analysis post-stratifies, such as `user.country`; undefined does not. */
  readonly stratify?: readonly string[] | undefined;
  /** How long after its impression an outcome counts; undefined counts it whenever it came. */
  readonly attributionWindow?: Duration | undefined;
  /** Logs, for a share of the requests, what the other arms would have shown; undefined logs none. */
  readonly counterfactual?: CounterfactualSpec | undefined;
  /** Ascending: `traffic` is that of one of the steps, and the server raises it to the next. */
  readonly ramp?: readonly RampStep[] | undefined;
  /** What is looked at while it runs, and acted on. */
  readonly guardrails?: readonly Guardrail[] | undefined;
}

/** A document as the store keeps it. */
export interface Experiment extends ExperimentDocument {
  /** Rises by one with every write. */
  readonly revision: number;
  /** Rises when the arms, the weights, the salt or the targeting change while it runs; the analysis never mixes phases. */
  readonly phase: number;
  /** Its part of the layer: growing adds ranges and keeps those it had. */
  readonly ranges: readonly TrafficRange[];
  /** Why it was killed; undefined where it was not. A killed experiment assigns nobody, whatever its status. */
  readonly killed?: string | undefined;
  /** The arm that a stopped experiment was stopped for. */
  readonly winner?: string | undefined;
  /** The guardrail that holds its ramp, or for which it was killed. */
  readonly breach?: Breach | undefined;
}

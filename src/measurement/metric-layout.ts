/** From an experiment's metrics to what is folded of a unit's outcomes, and which of its variables are whose. */
import type { Experiment, Metric } from "../domain/experiment.ts";
import { durationMs, type FilterTerm, parseMetricFilter } from "../experiments/experiments.ts";
import { type FilterReads, readsOf } from "./filter-sql.ts";

/** Outcomes of one type that one metric or several fold in one way. */
export interface Source {
  /** Place among `MetricLayouts.types`. */
  readonly type: number;
  readonly filter: FilterTerm | undefined;
  /** Only so long after the first exposure. */
  readonly windowMs: number | undefined;
  /** Of the time before the first exposure, no longer ago than this; undefined is the time since. */
  readonly pastMs: number | undefined;
}

/** One number of a unit. */
export type UnitVariable =
  | { readonly kind: "fold"; readonly source: number; readonly aggregate: FoldAggregate }
  | { readonly kind: "requests" }
  /** A number of the unit's first request, 0 where it sent none. */
  | { readonly kind: "attribute"; readonly attribute: number }
  /** 1 where the unit did nothing that is known before its first exposure. */
  | { readonly kind: "no-past" }
  | { readonly kind: "no-attribute"; readonly attribute: number };

export type FoldAggregate = "count" | "sum" | "any" | "mean" | "last";

/** Where a metric's variables stand among those of the layout. A quantile has none. */
export interface MetricLayout {
  readonly metric: Metric;
  readonly numerator: number | undefined;
  readonly denominator: number | undefined;
  /** Each once more as it was before the first exposure, or an attribute, and whether there is none. */
  readonly covariates: readonly number[];
  readonly covariateKind: "past" | "attribute" | "none";
  /** The source whose events a quantile is over. */
  readonly events: number | undefined;
}

export interface MetricLayouts {
  /** Outcome types that any metric reads. */
  readonly types: readonly string[];
  readonly sources: readonly Source[];
  readonly variables: readonly UnitVariable[];
  /** By variable, the quantile of all units above which it is cut off; undefined where it is not. */
  readonly caps: readonly (number | undefined)[];
  /** `user.tenure`: read off a unit's first request. */
  readonly attributes: readonly string[];
  readonly metrics: readonly MetricLayout[];
  readonly reads: FilterReads;
  /** The longest past that any metric reads; undefined where none does. */
  readonly pastMs: number | undefined;
  /** What of it is looked at: as much, and more where a design asks how active units were. */
  readonly seenPastMs: number | undefined;
  readonly readsActivity: boolean;
}

/** In which units' outcomes before their first exposure are their activity. */
export const activityMs = 14 * 86_400_000;

export function withActivity(layouts: MetricLayouts): MetricLayouts {
  const seenPastMs = Math.max(layouts.pastMs ?? 0, activityMs);
  return { ...layouts, seenPastMs, readsActivity: true };
}

/** Where a metric names no covariate (Deng et al., WSDM 2013, found one to two weeks to be enough). */
export const defaultPast = "14d";

export function metricLayouts({ metrics, unit }: Pick<Experiment, "metrics" | "unit">): MetricLayouts {
  const types = [
    ...new Set(metrics.flatMap(({ outcome, denominator }) => [outcome, denominator?.outcome ?? outcome])),
  ];
  const filters: FilterTerm[] = [];
  const sources = numbered<Source>();
  const variables = numbered<UnitVariable & { cap?: number | undefined }>();
  const attributes = numbered<string>();
  const sourceOf = (
    outcome: string,
    filter: string | undefined,
    windowMs?: number,
    pastMs?: number,
  ): number => {
    const term = filter === undefined ? undefined : parseMetricFilter(filter, "filter");
    if (term !== undefined) filters.push(term);
    return sources.at({ type: types.indexOf(outcome), filter: term, windowMs, pastMs });
  };
  const variableOf = (metric: Metric, part: "numerator" | "denominator", pastMs?: number): number => {
    const { window, winsorise, denominator } = metric;
    const windowMs = window === undefined || pastMs !== undefined ? undefined : durationMs(window);
    if (part === "denominator") {
      const { outcome, aggregate, filter } = denominator as NonNullable<typeof denominator>;
      if (aggregate === "requests") return variables.at({ kind: "requests" });
      const source = sourceOf(outcome as string, filter, windowMs, pastMs);
      return variables.at({ kind: "fold", source, aggregate });
    }
    const source = sourceOf(metric.outcome, metric.filter, windowMs, pastMs);
    const aggregate = metric.type === "proportion" ? "any" : (metric.aggregate as FoldAggregate);
    return variables.at({
      kind: "fold",
      source,
      aggregate,
      ...(winsorise !== undefined && { cap: winsorise }),
    });
  };
  const covariatesOf = (metric: Metric): Pick<MetricLayout, "covariates" | "covariateKind"> => {
    const covariate = metric.covariate ?? (unit === "user" ? defaultPast : "none");
    if (covariate === "none") return { covariates: [], covariateKind: "none" };
    if (covariate.includes(".")) {
      const attribute = attributes.at(covariate);
      const own = variables.at({ kind: "attribute", attribute });
      return {
        covariates: [own, variables.at({ kind: "no-attribute", attribute })],
        covariateKind: "attribute",
      };
    }
    const pastMs = durationMs(covariate);
    const past = [variableOf(metric, "numerator", pastMs)];
    if (metric.type === "ratio" && metric.denominator?.aggregate !== "requests") {
      past.push(variableOf(metric, "denominator", pastMs));
    }
    return { covariates: [...past, variables.at({ kind: "no-past" })], covariateKind: "past" };
  };
  const layouts = metrics.map((metric): MetricLayout => {
    if (metric.type === "quantile") {
      const windowMs = metric.window === undefined ? undefined : durationMs(metric.window);
      const events = sourceOf(metric.outcome, metric.filter, windowMs);
      return {
        metric,
        numerator: undefined,
        denominator: undefined,
        covariates: [],
        covariateKind: "none",
        events,
      };
    }
    return {
      metric,
      numerator: variableOf(metric, "numerator"),
      denominator: metric.type === "ratio" ? variableOf(metric, "denominator") : undefined,
      ...covariatesOf(metric),
      events: undefined,
    };
  });
  const pasts = sources.all.flatMap((source) => (source.pastMs === undefined ? [] : [source.pastMs]));
  const pastMs = pasts.length === 0 ? undefined : Math.max(...pasts);
  return {
    types,
    sources: sources.all,
    variables: variables.all,
    caps: variables.all.map(({ cap }) => cap),
    attributes: attributes.all,
    metrics: layouts,
    reads: readsOf(filters),
    pastMs,
    seenPastMs: pastMs,
    readsActivity: false,
  };
}

/** Things by their place, the same thing once. */
function numbered<T>(): { readonly all: T[]; at(one: T): number } {
  const places = new Map<string, number>();
  const all: T[] = [];
  return {
    all,
    at(one) {
      const key = JSON.stringify(one);
      const place = places.get(key) ?? all.push(one) - 1;
      places.set(key, place);
      return place;
    },
  };
}

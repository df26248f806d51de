import type { Metric } from "../domain/experiment.ts";

/** What a metric measures, in one sentence. */
export function describeMetric(metric: Metric): string {
  const { type, outcome, aggregate, filter, denominator, quantile, window, winsorise } = metric;
  const where = (one: string | undefined): string => (one === undefined ? "" : ` where ${one}`);
  const folded = (of: string, how: string, when: string | undefined): string => {
    const outcomes = `${of} outcomes${where(when)}`;
    if (how === "count") return `number of ${outcomes}`;
    if (how === "any") return `any ${outcomes}`;
    return how === "last" ? `last value of ${outcomes}` : `${how} of the values of ${outcomes}`;
  };
  const what = (): string => {
    switch (type) {
      case "mean":
        return `Per unit, the ${folded(outcome, aggregate, filter)}`;
      case "proportion":
        return `Share of units with ${folded(outcome, "any", filter)}`;
      case "quantile":
        return `The ${quantile} quantile of the values of ${outcome} outcomes${where(filter)}, spread over units`;
      case "ratio": {
        const below =
          denominator?.aggregate === "requests"
            ? "number of requests"
            : folded(denominator?.outcome ?? "", denominator?.aggregate ?? "", denominator?.filter);
        return `The ${folded(outcome, aggregate, filter)}, over the ${below}`;
      }
    }
  };
  const within = window === undefined ? "" : `, within ${window} of a unit's first exposure`;
  const capped = winsorise === undefined ? "" : `, units above the ${winsorise} quantile counting as it`;
  return `${what()}${within}${capped}.`;
}

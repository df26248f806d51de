/** How long requests took by arm: a unit's sum over its requests, so that a unit with many is one case all the same. */
import { crossOf, estimateOfRatio } from "../statistics/statistics.ts";
import type { ResultRow } from "./engine.ts";
import { momentsIn, momentsQuery } from "./exact-moments.ts";
import type { ArmTimings } from "./measured.ts";

const variables = { answer: 0, ranked: 1, model: 2 } as const;

/** Whole microseconds, of which sums are the same in any order. Longer than an hour is a clock that was set. */
export function microsecondsOf(ms: string): string {
  return `CAST(round(least(greatest(${ms}, 0e0), 36e5) * 1e3) AS BIGINT)`;
}

/** Units that had no list have no part in it. */
export const timingsQuery = momentsQuery(
  `(SELECT arm, CAST(answer_us AS DOUBLE) / 1e3 AS v${variables.answer}, CAST(ranked AS DOUBLE) AS v${variables.ranked},
           CAST(model_us AS DOUBLE) / 1e3 AS v${variables.model}
    FROM units WHERE NOT crossed AND ranked > 0) timed`,
  3,
  [
    [variables.answer, variables.answer],
    [variables.answer, variables.ranked],
    [variables.ranked, variables.ranked],
    [variables.ranked, variables.model],
    [variables.model, variables.model],
  ],
  [],
);

/** Of each of `arms` arms, in milliseconds a request. */
export function timingsIn(rows: readonly ResultRow[], arms: number): ArmTimings[] {
  const perRequest = (variable: number) =>
    momentsIn(rows, [variable, variables.ranked], arms).map((moments) =>
      estimateOfRatio(crossOf(moments, 1, 0)),
    );
  const [latencies, models] = [perRequest(variables.answer), perRequest(variables.model)];
  return latencies.map((latency, arm) => ({ latency, model: models[arm] as ArmTimings["model"] }));
}

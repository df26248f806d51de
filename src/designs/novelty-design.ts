/** The difference by days since a unit's first exposure, over units that were followed on all of them. */

import type { Experiment } from "../domain/experiment.ts";
import {
  type Dialect,
  momentsIn,
  momentsQuery,
  numberIn,
  outcomeFolds,
  pairsWithin,
  table,
  variableSql,
  view,
} from "../measurement/measurement.ts";
import { estimateOfMean, type JointMoments, marginalOf } from "../statistics/statistics.ts";
import { type AskedDesign, comparedArms } from "./asked-design.ts";
import { datedFolds, phaseEnd } from "./dated-folds.ts";
import { designMetrics, estimateOf, leftOutWarnings, liftBetween } from "./design-metrics.ts";
import type { NoveltyReport } from "./design-sections.ts";

const daysMax = 14;

/**
 * How many days: as many, up to 14, as half of the units were followed, until the phase's last exposure. A unit's slope is
 * `sum of c y(day)`, `c = (day - mean) / sum of (day - mean)^2`, as `trendWithinUnits` of the statistics has it; whole
 * days one after the other have `sum of (day - mean)^2 = D (D^2 - 1) / 12`. A ratio has no slope of a unit, and so no trend.
 */
export function noveltyDesign(dialect: Dialect, experiment: Experiment, alpha: number): AskedDesign {
  const { arms } = experiment;
  const { metrics, variables, leftOut } = designMetrics(experiment);
  const followed = dialect.daysBetween("exposed", "ended");
  const days = Array.from({ length: daysMax }, (_, day) => day);
  // Each variable by day, and behind them each mean's and share's slope.
  const placeOf = (variable: number, day: number): number => variable * daysMax + day;
  const sloped = metrics.filter(({ own }) => own.length === 1);
  const slopePlaces = new Map(sloped.map((one, i) => [one, variables.length * daysMax + i]));
  const daily = variables.flatMap((_, i) =>
    days.map((day) => `coalesce(max(CASE WHEN day = ${day} THEN d${i} END), 0e0) AS v${placeOf(i, day)}`),
  );
  const slopes = sloped.map((one) => {
    const terms = days.map(
      (day) =>
        `CASE WHEN ${day} < days THEN (${day} - (days - 1) / 2e0) * v${placeOf(one.own[0] as number, day)} ELSE 0e0 END`,
    );
    return `(${terms.join(" + ")}) / (days * (days * days - 1) / 12e0) AS v${slopePlaces.get(one)}`;
  });
  const pairs = pairsWithin([
    ...metrics.flatMap(({ own }) =>
      days.map((day) => own.map((variable) => placeOf(variable, day)).sort((a, b) => a - b)),
    ),
    ...[...slopePlaces.values()].map((place) => [place]),
  ]);
  const dayOf = (when: string): string => `greatest(${dialect.daysBetween("exposed", when)}, 0)`;
  return {
    design: {
      relations: [
        phaseEnd,
        table(
          "novelty_span",
          `SELECT CAST(least(coalesce(max(followed), 0), ${daysMax}) AS INTEGER) AS days
           FROM (SELECT followed, sum(units) OVER (ORDER BY followed DESC) AS longer, sum(units) OVER () AS everyone
                 FROM (SELECT ${followed} AS followed, count(*) AS units
                       FROM units CROSS JOIN phase_end WHERE NOT crossed GROUP BY ${followed}) lengths) spans
           WHERE longer * 2 >= everyone`,
        ),
        view(
          "unit_days",
          `SELECT ${["unit", "day", ...variables.map((variable, i) => `${variableSql(variable)} AS d${i}`)].join(", ")}
           FROM (SELECT ${["unit", "day", "sum(asked) AS impressions", ...outcomeFolds(dialect, variables)].join(", ")}
                 FROM (${datedFolds(variables, { dayOf, column: "day" })}) dated
                 WHERE day < ${daysMax} GROUP BY unit, day) folded`,
        ),
        table(
          "novelty_values",
          `SELECT ${["*", ...slopes].join(", ")}
           FROM (SELECT min(arm) AS arm, min(days) AS days, ${daily.join(", ")}
                 FROM units CROSS JOIN phase_end CROSS JOIN novelty_span
                 LEFT JOIN unit_days ON unit_days.unit = units.unit
                 WHERE NOT crossed AND days > 1 AND ${followed} >= days GROUP BY units.unit) pivoted`,
        ),
      ],
      queries: {
        design_novelty_days: "SELECT days FROM novelty_span",
        design_novelty: momentsQuery("novelty_values", variables.length * daysMax + sloped.length, pairs, []),
      },
    },
    findings(results) {
      const out = leftOutWarnings("Novelty", leftOut, "quantiles are not compared by day");
      const span = numberIn(results["design_novelty_days"]?.[0], "days");
      if (span < 2) {
        const warning =
          "Novelty: half of the units were followed for less than two days, so nothing is said of it.";
        return { sections: { novelty: [] }, warnings: [warning, ...out] };
      }
      const { control, treated } = comparedArms(experiment);
      const rows = results["design_novelty"] ?? [];
      const novelty = metrics.flatMap((one) => {
        const byDay = days.slice(0, span).map((day) =>
          momentsIn(
            rows,
            one.own.map((variable) => placeOf(variable, day)),
            arms.length,
          ),
        );
        const place = slopePlaces.get(one);
        const slope = place === undefined ? undefined : momentsIn(rows, [place], arms.length);
        const slopeOf = (arm: number) => estimateOfMean(marginalOf(slope?.[arm] as JointMoments, 0));
        return treated.map((arm): NoveltyReport => {
          const trend = slope === undefined ? null : liftBetween(slopeOf(arm), slopeOf(control), alpha);
          const [first = []] = byDay;
          return {
            metric: one.metric.id,
            arm: arms[arm]?.id ?? "",
            units: (first[arm]?.count ?? 0) + (first[control]?.count ?? 0),
            days: byDay.flatMap((moments, day) => {
              const [of, versus] = [moments[arm], moments[control]] as [JointMoments, JointMoments];
              const lift = liftBetween(estimateOf(one, of), estimateOf(one, versus), alpha);
              return lift === null ? [] : [{ day, ...lift.absolute }];
            }),
            trend: trend === null ? null : { estimate: trend.absolute.estimate, pValue: trend.pValue },
          };
        });
      });
      return { sections: { novelty }, warnings: out };
    },
  };
}

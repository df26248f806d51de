/** The difference by days since a unit's first exposure, over units that were followed on all of them. */
import type { Experiment } from "../domain/experiment.ts";
import { type Moments, marginalY } from "../statistics/statistics.ts";
import { type AskedDesign, comparedArms, liftOf } from "./asked-design.ts";
import type { Dialect } from "./dialect.ts";
import { momentsIn, momentsQuery } from "./exact-moments.ts";
import { table, view } from "./log-design.ts";
import { counts, outcomeFolds, typesOf, unitValue } from "./log-statements.ts";
import type { NoveltyReport } from "./report-designs.ts";

const daysMax = 14;
/** Each metric's variables: one a day, and the unit's slope over the days. */
const variables = daysMax + 1;

/**
 * How many days: as many, up to 14, as half of the units were followed, until the phase's last exposure. A unit's slope is
 * `sum of c y(day)`, `c = (day - mean) / sum of (day - mean)^2`, as `trendWithinUnits` of the statistics has it; whole
 * days one after the other have `sum of (day - mean)^2 = D (D^2 - 1) / 12`.
 */
export function noveltyDesign(dialect: Dialect, experiment: Experiment, alpha: number): AskedDesign {
  const { arms, metrics } = experiment;
  const types = typesOf(experiment);
  const followed = dialect.daysBetween("exposed", "ended");
  const days = Array.from({ length: daysMax }, (_, day) => day);
  const y = (metric: number, variable: number): string => `y${metric * variables + variable}`;
  const daily = metrics.flatMap((_, i) =>
    days.map((day) => `coalesce(max(CASE WHEN day = ${day} THEN v${i} END), 0e0) AS ${y(i, day)}`),
  );
  const slopes = metrics.map((_, i) => {
    const terms = days.map(
      (day) => `CASE WHEN ${day} < days THEN (${day} - (days - 1) / 2e0) * ${y(i, day)} ELSE 0e0 END`,
    );
    return `(${terms.join(" + ")}) / (days * (days * days - 1) / 12e0) AS ${y(i, daysMax)}`;
  });
  return {
    design: {
      relations: [
        table("phase_end", "SELECT max(shown_at) AS ended FROM first_exposures WHERE arm IS NOT NULL"),
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
          `SELECT unit, day, ${metrics.map((metric, i) => `${unitValue(metric, types)} AS v${i}`).join(", ")}
           FROM (SELECT ${["unit", "day", ...outcomeFolds(dialect, experiment, types)].join(", ")}
                 FROM (SELECT happened.unit AS unit, type, value, state,
                              greatest(${dialect.daysBetween("exposed", "occurred_at")}, 0) AS day
                       FROM happened JOIN units ON units.unit = happened.unit
                       WHERE state = ${counts} AND type IS NOT NULL) dated
                 WHERE day < ${daysMax} GROUP BY unit, day) folded`,
        ),
        table(
          "novelty_values",
          `SELECT *, ${slopes.join(", ")}
           FROM (SELECT min(arm) AS arm, min(days) AS days, ${daily.join(", ")}
                 FROM units CROSS JOIN phase_end CROSS JOIN novelty_span
                 LEFT JOIN unit_days ON unit_days.unit = units.unit
                 WHERE NOT crossed AND days > 1 AND ${followed} >= days GROUP BY units.unit) pivoted`,
        ),
      ],
      queries: {
        design_novelty_days: "SELECT days FROM novelty_span",
        design_novelty: momentsQuery("novelty_values", metrics.length * variables),
      },
    },
    findings(results) {
      const span = Number(results["design_novelty_days"]?.[0]?.["days"] ?? 0);
      if (span < 2) {
        const warning =
          "Novelty: half of the units were followed for less than two days, so nothing is said of it.";
        return { sections: { novelty: [] }, warnings: [warning] };
      }
      const { control, treated } = comparedArms(experiment);
      const rows = results["design_novelty"] ?? [];
      const novelty = metrics.flatMap((metric, m) => {
        const of = (variable: number): Moments[] =>
          momentsIn(rows, m * variables + variable, arms.length).map(marginalY);
        const byDay = days.slice(0, span).map(of);
        const slope = of(daysMax);
        return treated.map((place): NoveltyReport => {
          const trend = liftOf(slope[place] as Moments, slope[control] as Moments, alpha);
          return {
            metric: metric.id,
            arm: arms[place]?.id ?? "",
            units: (slope[place]?.count ?? 0) + (slope[control]?.count ?? 0),
            days: byDay.flatMap((moments, day) => {
              const lift = liftOf(moments[place] as Moments, moments[control] as Moments, alpha);
              return lift === null ? [] : [{ day, ...lift.absolute }];
            }),
            trend: trend === null ? null : { estimate: trend.absolute.estimate, pValue: trend.pValue },
          };
        });
      });
      return { sections: { novelty }, warnings: [] };
    },
  };
}

/** The difference so far, day by day: all units that were exposed by the end of a day, with what came of them by then. */

import type { Experiment } from "../domain/experiment.ts";
import {
  type Dialect,
  metricLayouts,
  momentsIn,
  momentsQuery,
  numberIn,
  outcomeFolds,
  type ResultRow,
  runningFolds,
  sumOfRows,
  table,
  variableSql,
  view,
} from "../measurement/measurement.ts";
import { alwaysValid, difference, type JointMoments } from "../statistics/statistics.ts";
import { type AskedDesign, comparedArms } from "./asked-design.ts";
import { datedFolds, phaseEnd } from "./dated-folds.ts";
import { type DesignMetric, designMetrics, estimateOf, leftOutWarnings, ownPairs } from "./design-metrics.ts";
import type { EffectOverTime, EffectPoint } from "./design-sections.ts";

/** Of a longer phase every second day, or every third, counted back from its last. */
const pointsMax = 60;

const dayMs = 86_400_000;

/**
 * Units are folded by day once, and each unit's numbers so far then stand in one row for each day on which they change,
 * until its next such row: so a day's sums are those of the day before, with what begins and without what ends, and the
 * work grows with units and the days on which they are active, not with all of them times all days. The last day has
 * all that came later too. A cap is that of the whole phase.
 */
export function overTimeDesign(dialect: Dialect, experiment: Experiment, alpha: number): AskedDesign {
  const { arms } = experiment;
  const { metrics, variables, leftOut } = designMetrics(experiment);
  const midnight = (instant: string): string => `CAST(CAST(${instant} AS DATE) AS TIMESTAMP)`;
  const pointOf = (when: string): string => {
    const day = `greatest(${dialect.daysBetween("first_day", when)}, ${dialect.daysBetween("first_day", "exposed")})`;
    return `CAST(points - 1 - floor((last_day - least(${day}, last_day)) / CAST(step AS DOUBLE)) AS INTEGER)`;
  };
  const window = "PARTITION BY unit ORDER BY point ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW";
  const values = cappedValues(experiment, metrics, variables.length);
  const cell = (point: string, ends: number): string =>
    `CAST((${point} * ${arms.length} + arm) * 2 + ${ends} AS INTEGER)`;
  const columns = variables.map((_, i) => `v${i}`).join(", ");
  return {
    design: {
      relations: [
        phaseEnd,
        table(
          "over_time_span",
          `SELECT first_day, last_day, step, CAST(ceil((last_day + 1) / CAST(step AS DOUBLE)) AS INTEGER) AS points
           FROM (SELECT first_day, last_day, CAST(ceil((last_day + 1) / ${pointsMax}e0) AS INTEGER) AS step
                 FROM (SELECT first_day, ${dialect.daysBetween("first_day", "ended")} AS last_day
                       FROM (SELECT ${midnight("min(exposed)")} AS first_day FROM units WHERE NOT crossed) begun
                       CROSS JOIN phase_end) spans) steps`,
        ),
        view(
          "unit_points",
          `SELECT ${["unit", "point", "sum(asked) AS impressions", ...outcomeFolds(dialect, variables)].join(", ")}
           FROM (${datedFolds(variables, { dayOf: pointOf, column: "point", beside: "CROSS JOIN over_time_span", withExposures: true })}) dated
           GROUP BY unit, point`,
        ),
        view(
          "running_folds",
          `SELECT ${[
            ...["unit", "point", "lead(point) OVER (PARTITION BY unit ORDER BY point) AS next_point"],
            `sum(impressions) OVER (${window}) AS impressions`,
            ...runningFolds(dialect, variables, window, "point"),
          ].join(", ")} FROM unit_points`,
        ),
        table(
          "running_values",
          `SELECT ${["arm", "point", "next_point", ...values.columns].join(", ")}
           FROM (SELECT ${["arm", "point", "next_point", ...variables.map((one, i) => `${variableSql(one)} AS r${i}`)].join(", ")}
                 FROM running_folds JOIN (SELECT unit AS placed, arm FROM units WHERE NOT crossed) arms ON placed = unit) running ${values.beside}`,
        ),
        view(
          "over_time_values",
          `SELECT ${cell("point", 0)} AS arm, ${columns} FROM running_values
           UNION ALL
           SELECT ${cell("next_point", 1)} AS arm, ${columns} FROM running_values WHERE next_point IS NOT NULL`,
        ),
      ],
      queries: {
        design_over_time_span:
          "SELECT CAST(CAST(first_day AS DATE) AS STRING) AS first_day, last_day, step, points FROM over_time_span",
        design_over_time: momentsQuery("over_time_values", variables.length, ownPairs(metrics), []),
      },
    },
    findings(results) {
      const days = daysIn(results["design_over_time_span"]?.[0] ?? {});
      const byPoint = rowsSoFar(results["design_over_time"] ?? [], days.length, arms.length);
      const { control, treated } = comparedArms(experiment);
      const overTime = metrics.flatMap((one) => {
        const moments = byPoint.map((rows) => momentsIn(rows, one.own, arms.length));
        return treated.map(
          (arm): EffectOverTime => ({
            metric: one.metric.id,
            arm: arms[arm]?.id ?? "",
            points: days.map((day, point) => {
              const [of, versus] = [moments[point]?.[arm], moments[point]?.[control]] as [
                JointMoments,
                JointMoments,
              ];
              return pointOn(day, one, of, versus, alpha, experiment.plan?.units);
            }),
          }),
        );
      });
      return {
        sections: { overTime },
        warnings: leftOutWarnings("Over time", leftOut, "quantiles are not followed by day"),
      };
    },
  };
}

function cappedValues(
  experiment: Experiment,
  metrics: readonly DesignMetric[],
  count: number,
): { readonly columns: readonly string[]; readonly beside: string } {
  const { caps } = metricLayouts(experiment);
  const inLayout = new Map(
    metrics.flatMap(({ own, inLayout }) => own.map((place, i) => [place, inLayout[i] as number])),
  );
  const columns = Array.from({ length: count }, (_, place) => {
    const variable = inLayout.get(place) as number;
    return caps[variable] === undefined
      ? `r${place} AS v${place}`
      : `least(r${place}, cap${variable}) AS v${place}`;
  });
  return { columns, beside: caps.some((cap) => cap !== undefined) ? "CROSS JOIN caps" : "" };
}

/** The days of the points, as ISO 8601 dates, ascending. */
function daysIn(row: ResultRow): string[] {
  const first = Date.parse(`${row["first_day"]}T00:00:00Z`);
  const [last, step, points] = [row["last_day"], row["step"], row["points"]].map((value) =>
    Number(value ?? 0),
  ) as [number, number, number];
  return Array.from({ length: points }, (_, point) => {
    const day = last - (points - 1 - point) * step;
    return new Date(first + day * dayMs).toISOString().slice(0, 10);
  });
}

/** By point, a row an arm. */
function rowsSoFar(rows: readonly ResultRow[], points: number, arms: number): ResultRow[][] {
  const byCell = new Map(rows.map((row) => [Number(row["arm"]), row]));
  const of = (cell: number): ResultRow[] => [byCell.get(cell)].filter((row) => row !== undefined);
  const soFar: ResultRow[][] = [];
  for (let point = 0; point < points; point++) {
    const before = soFar.at(-1) ?? [];
    soFar.push(
      Array.from({ length: arms }, (_, arm) => {
        const cell = (point * arms + arm) * 2;
        const had = before.filter((row) => Number(row["arm"]) === arm);
        return sumOfRows([...had, ...of(cell)], of(cell + 1), arm);
      }).filter((row) => numberIn(row, "units") > 0),
    );
  }
  return soFar;
}

function pointOn(
  day: string,
  metric: DesignMetric,
  treated: JointMoments,
  control: JointMoments,
  alpha: number,
  tunedUnits: number | undefined,
): EffectPoint {
  const units = treated.count + control.count;
  const none = { estimate: null, ciLow: null, ciHigh: null, alwaysValidLow: null, alwaysValidHigh: null };
  const [of, versus] = [estimateOf(metric, treated), estimateOf(metric, control)];
  if (!of.ok || !versus.ok) return { day, units, ...none };
  const tested = difference(of.value, versus.value, alpha);
  if (!tested.ok) return { day, units, ...none };
  const { estimate, ciLow, ciHigh } = tested.value;
  const always = alwaysValid(tested.value, units, alpha, tunedUnits);
  return {
    day,
    units,
    estimate,
    ciLow,
    ciHigh,
    alwaysValidLow: always.ciLow,
    alwaysValidHigh: always.ciHigh,
  };
}

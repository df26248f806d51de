/** Credit per unit of the two arms of an interleaving, as SQL over the relations of `log-statements.ts`. */

import type { Arm, Experiment } from "../domain/experiment.ts";
import {
  type Dialect,
  type LogDesign,
  momentsIn,
  momentsQuery,
  numberIn,
  outcomeFolds,
  type ResultRows,
  table,
  variableSql,
  view,
} from "../measurement/measurement.ts";
import { type InterleavingSums, marginalOf, noInterleavingSums } from "../statistics/statistics.ts";
import { readOfHappened, requestMetrics } from "./design-metrics.ts";

/** `first` is the arm that is compared, `second` the control. */
export interface DraftingArms {
  readonly first: Arm;
  readonly second: Arm;
}

/**
 * A unit's credit for an arm is its metric over the outcomes on items that this arm picked in a competitive place.
 * Credit below 0 is none. Pages of one list begin with the same places, so the longest of them has the list's places.
 */
export function interleavingDesign(
  dialect: Dialect,
  experiment: Experiment,
  { first, second }: DraftingArms,
): LogDesign {
  const { metrics, values } = requestMetrics(experiment);
  const folded = readOfHappened(values);
  const teamOf = (name: string): string =>
    `CASE ${name} WHEN ${dialect.text(first.id)} THEN 0 WHEN ${dialect.text(second.id)} THEN 1 END`;
  const picksOf = ({ id }: Arm): string => dialect.countEqual("teams", dialect.text(id));
  const credit = (place: number, metric: number): string =>
    `greatest(coalesce(max(CASE WHEN team = ${place} THEN y${metric} END), 0e0), 0e0)`;
  return {
    relations: [
      table(
        "drafted",
        `SELECT request, unit, ${dialect.fieldOf("items", "id")} AS ids, interleaving.id AS list,
                interleaving.teams AS teams, interleaving.competitive AS competitive
         FROM first_exposures
         WHERE arm IS NOT NULL AND interleaving IS NOT NULL AND unit IN (SELECT unit FROM units)`,
      ),
      table(
        "drafted_units",
        `SELECT unit, count(*) AS lists, sum(slots) AS slots, sum(competitive) AS competitive,
                sum(CASE WHEN picker = 0 THEN 1 ELSE 0 END) AS first_picks,
                sum(CASE WHEN picker = 1 THEN 1 ELSE 0 END) AS second_picks, sum(uneven) AS uneven
         FROM (SELECT unit, list, max(${dialect.sizeOf("competitive")}) AS slots,
                      max(${dialect.countOf("competitive")}) AS competitive, min(${teamOf(dialect.at("teams", "1"))}) AS picker,
                      max(CASE WHEN abs(${picksOf(first)} - ${picksOf(second)}) > 1 THEN 1 ELSE 0 END) AS uneven
               FROM drafted GROUP BY unit, list) lists
         GROUP BY unit`,
      ),
      view(
        "credited",
        `SELECT ${["unit", ...folded].join(", ")}, ${teamOf(dialect.at("teams", "slot"))} AS team
         FROM (SELECT ${["happened.unit AS unit", ...folded, "teams", "competitive"].join(", ")},
                      ${dialect.placeIn("ids", "item")} AS slot
               FROM happened JOIN drafted ON drafted.request = happened.request) answers
         WHERE ${dialect.at("competitive", "slot")}`,
      ),
      view(
        "team_values",
        `SELECT ${["unit", "team", ...values.map((variable, i) => `${variableSql(variable)} AS y${i}`)].join(", ")}
         FROM (SELECT ${["unit", "team", ...outcomeFolds(dialect, values)].join(", ")}
               FROM credited WHERE team IS NOT NULL GROUP BY unit, team) folded`,
      ),
      table(
        "credits",
        `SELECT ${["unit", ...metrics.flatMap((_, i) => [`${credit(0, i)} AS f${i}`, `${credit(1, i)} AS s${i}`])].join(", ")}
         FROM team_values GROUP BY unit`,
      ),
    ],
    queries: {
      design_drafted: `
        SELECT (SELECT count(*) FROM drafted_units) AS units,
               (SELECT coalesce(sum(lists), 0) FROM drafted_units) AS lists,
               (SELECT coalesce(sum(slots), 0) FROM drafted_units) AS slots,
               (SELECT coalesce(sum(competitive), 0) FROM drafted_units) AS competitive,
               (SELECT coalesce(sum(first_picks), 0) FROM drafted_units) AS first_picks,
               (SELECT coalesce(sum(second_picks), 0) FROM drafted_units) AS second_picks,
               (SELECT coalesce(sum(uneven), 0) FROM drafted_units) AS uneven,
               (SELECT count(*) FROM first_exposures
                WHERE arm IS NOT NULL AND interleaving IS NULL AND unit IN (SELECT unit FROM units)) AS one_arm`,
      design_wins: `
        SELECT ${["0 AS arm", ...metrics.flatMap((_, i) => winsOf(i))].join(", ")} FROM credits`,
      ...Object.fromEntries(
        metrics.map((_, i) => [
          `design_preference${i}`,
          momentsQuery(
            `(SELECT 0 AS arm, (f${i} - s${i}) / (f${i} + s${i}) AS v0 FROM credits WHERE f${i} + s${i} > 0e0) preferring`,
            1,
            [[0, 0]],
            [],
          ),
        ]),
      ),
    },
  };
}

function winsOf(i: number): string[] {
  const where = (condition: string): string => `count(*) FILTER (WHERE ${condition})`;
  return [
    `${where(`f${i} > s${i}`)} AS wins${i}`,
    `${where(`f${i} < s${i}`)} AS losses${i}`,
    `${where(`f${i} = s${i} AND f${i} > 0e0`)} AS ties${i}`,
  ];
}

export interface MetricCredit {
  readonly sums: InterleavingSums;
  readonly ties: number;
}

/** What was drafted for the units, and how. */
export interface Drafted {
  readonly units: number;
  /** Pages of one list are one. */
  readonly lists: number;
  /** Places of the lists, and those of them in which the arms would have shown different items. */
  readonly slots: number;
  readonly competitive: number;
  /** Lists in which the arm, and in which control picked first. */
  readonly firstPicks: number;
  readonly secondPicks: number;
  /** Lists in which the arms did not take turns. */
  readonly uneven: number;
  /** Answers of one arm alone. */
  readonly oneArm: number;
}

export function draftedIn(results: ResultRows): Drafted {
  const row = results["design_drafted"]?.[0];
  return {
    units: numberIn(row, "units"),
    lists: numberIn(row, "lists"),
    slots: numberIn(row, "slots"),
    competitive: numberIn(row, "competitive"),
    firstPicks: numberIn(row, "first_picks"),
    secondPicks: numberIn(row, "second_picks"),
    uneven: numberIn(row, "uneven"),
    oneArm: numberIn(row, "one_arm"),
  };
}

/** The sums of each metric. */
export function creditsIn(
  results: ResultRows,
  { units, slots, competitive }: Drafted,
  metrics: number,
): readonly MetricCredit[] {
  const wins = results["design_wins"]?.[0];
  return Array.from({ length: metrics }, (_, i) => {
    const [preference] = momentsIn(results[`design_preference${i}`] ?? [], [0], 1);
    return {
      ties: numberIn(wins, `ties${i}`),
      sums: {
        units,
        slots,
        competitive,
        winsFirst: numberIn(wins, `wins${i}`),
        winsSecond: numberIn(wins, `losses${i}`),
        preference: preference === undefined ? noInterleavingSums.preference : marginalOf(preference, 0),
      },
    };
  });
}

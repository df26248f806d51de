/** Only where the arms' lists differ: from what the other arms would have shown, as it was logged beside impressions. */

import type { Experiment } from "../domain/experiment.ts";
import {
  type Dialect,
  type LogDesign,
  momentsIn,
  momentsQuery,
  numberIn,
  outcomeFolds,
  type ResultRow,
  table,
  variableSql,
  view,
} from "../measurement/measurement.ts";
import {
  dilutedEffect,
  intervalOf,
  type JointMoments,
  sampleRatio,
  type TriggeredArm,
} from "../statistics/statistics.ts";
import { type AskedDesign, comparedArms } from "./asked-design.ts";
import {
  crossMomentsOf,
  type DesignMetric,
  designMetrics,
  estimateOf,
  leftOutWarnings,
  liftBetween,
  ownPairs,
  readOfHappened,
} from "./design-metrics.ts";
import type { TriggerComparison, TriggeredMetric } from "./design-sections.ts";

/** A unit's differing requests alone; all its compared ones, where some differ; all, where none does. */
const scopes = { differing: 0, triggered: 1, others: 2 } as const;
const scopesCount = 3;

/** `compared_requests (request, unit, arm, other, differs)`: each once, of units that count. Other designs read it too. */
export function comparedRequests(dialect: Dialect, { id, phase, arms }: Experiment): LogDesign["relations"] {
  const places = (column: string): string =>
    `CASE ${column} ${arms.map((arm, place) => `WHEN ${dialect.text(arm.id)} THEN ${place}`).join(" ")} END`;
  return [
    table(
      "compared_requests",
      `SELECT request, unit, arm, other, max(differs) AS differs, max(cut) AS cut
       FROM (SELECT exposed.request AS request, exposed.unit AS unit, exposed.arm AS arm, seen.other AS other,
                    CASE WHEN agreeing < least(shown, listed) THEN 1 ELSE 0 END AS differs,
                    CASE WHEN agreeing = listed AND listed < shown THEN 1 ELSE 0 END AS cut
             FROM (SELECT request, ${places("arm")} AS place, ${places("other")} AS other, agreeing,
                          ${dialect.sizeOf("other_ids")} AS listed
                   FROM counterfactuals WHERE experiment = ${dialect.text(id)} AND phase = ${phase}) seen
             JOIN (SELECT first_exposures.request AS request, first_exposures.unit AS unit, first_exposures.arm AS arm,
                          ${dialect.sizeOf("items")} AS shown
                   FROM first_exposures JOIN units ON units.unit = first_exposures.unit
                   WHERE first_exposures.arm IS NOT NULL AND NOT crossed) exposed
             ON exposed.request = seen.request AND exposed.arm = seen.place
             WHERE other IS NOT NULL) matched
       GROUP BY request, unit, arm, other`,
    ),
  ];
}

/**
 * For each arm and control the requests of either of which the other's list was logged. Values are of what answered these
 * requests; what users did without a list answers none.
 */
export function triggerDesign(dialect: Dialect, experiment: Experiment, alpha: number): AskedDesign {
  const { arms } = experiment;
  const { metrics, variables, leftOut } = designMetrics(experiment);
  const folded = readOfHappened(variables);
  const { control, treated } = comparedArms(experiment);
  const pairs = treated.map((place) => `WHEN ${place} THEN ${treated.indexOf(place)}`).join(" ");
  const cell = (scope: string): string =>
    `CAST((pair * ${scopesCount} + ${scope}) * 2 + isTreated AS INTEGER)`;
  const triggered = `CASE WHEN triggered = 1 THEN ${scopes.triggered} ELSE ${scopes.others} END`;
  return {
    design: {
      readsCounterfactuals: true,
      relations: [
        ...comparedRequests(dialect, experiment),
        view(
          "pair_requests",
          `SELECT request, unit, differs, cut, CASE WHEN arm = ${control} THEN 0 ELSE 1 END AS isTreated,
                  CASE CASE WHEN arm = ${control} THEN other ELSE arm END ${pairs} END AS pair
           FROM compared_requests WHERE (arm = ${control}) <> (other = ${control})`,
        ),
        table(
          "pair_units",
          `SELECT unit, pair, isTreated, max(differs) AS triggered, count(*) AS requests, sum(differs) AS differing,
                  sum(cut) AS cut
           FROM pair_requests GROUP BY unit, pair, isTreated`,
        ),
        view(
          "scoped_requests",
          `SELECT request, unit, pair, 1 AS allOfThem FROM pair_requests
           UNION ALL SELECT request, unit, pair, 0 AS allOfThem FROM pair_requests WHERE differs = 1`,
        ),
        table(
          "scoped_outcomes",
          `SELECT ${["unit", "pair", "allOfThem", ...outcomeFolds(dialect, variables)].join(", ")}
           FROM (SELECT ${["scoped_requests.unit AS unit", "pair", "allOfThem", ...folded].join(", ")}
                 FROM happened JOIN scoped_requests ON scoped_requests.request = happened.request) answers
           GROUP BY unit, pair, allOfThem`,
        ),
        table(
          "trigger_values",
          `SELECT ${["cell AS arm", ...variables.map((variable, i) => `${variableSql(variable)} AS v${i}`)].join(", ")}
           FROM (SELECT unit, pair, 1 AS allOfThem, requests AS impressions, ${cell(triggered)} AS cell FROM pair_units
                 UNION ALL
                 SELECT unit, pair, 0 AS allOfThem, differing AS impressions, ${cell(String(scopes.differing))} AS cell
                 FROM pair_units WHERE triggered = 1) cells
           LEFT JOIN scoped_outcomes ON scoped_outcomes.unit = cells.unit AND scoped_outcomes.pair = cells.pair
                AND scoped_outcomes.allOfThem = cells.allOfThem`,
        ),
      ],
      queries: {
        design_pairs: `SELECT pair, isTreated, count(*) AS units, sum(triggered) AS triggered, sum(requests) AS requests,
                              sum(differing) AS differing, sum(cut) AS cut
                       FROM pair_units GROUP BY pair, isTreated`,
        design_trigger: momentsQuery("trigger_values", variables.length, ownPairs(metrics), []),
      },
    },
    findings(results) {
      const warnings = leftOutWarnings(
        "Trigger analysis",
        leftOut,
        "a quantile has no part that a trigger leaves out",
      );
      const cells = metrics.map(({ own }) =>
        momentsIn(results["design_trigger"] ?? [], own, treated.length * scopesCount * 2),
      );
      const comparisons = treated.map((place, pair): TriggerComparison => {
        const rows = [0, 1].map((isTreated) => rowOf(results["design_pairs"] ?? [], pair, isTreated));
        const [arm, versus] = [arms[place]?.id ?? "", arms[control]?.id ?? ""];
        const sum = (column: string): number => rows.reduce((all, row) => all + numberIn(row, column), 0);
        const ratio = sampleRatio(
          rows.map((row) => numberIn(row, "triggered")),
          [arms[control]?.weight ?? 0, arms[place]?.weight ?? 0],
        );
        if (sum("requests") === 0) {
          warnings.push(
            `Trigger analysis of ${arm}: no request of it or ${versus} was compared with the other's list.`,
          );
        }
        if (!ratio.ok) {
          warnings.push(
            `Trigger analysis of ${arm}: the triggered units do not stand as the weights promise (SRM), so the arm ` +
              "itself moves who is triggered, or whose comparison is logged: do not read it.",
          );
        }
        if (sum("cut") > 0) {
          warnings.push(
            `Trigger analysis of ${arm}: ${sum("cut")} of ${sum("requests")} requests were compared for fewer places than ` +
              "they showed, and agree on these: they count as the same list. Raise counterfactual.topK.",
          );
        }
        return {
          arm,
          versus,
          requests: { compared: sum("requests"), differing: sum("differing") },
          units: [versus, arm].map((id, i) => ({
            arm: id,
            compared: numberIn(rows[i], "units"),
            triggered: numberIn(rows[i], "triggered"),
          })),
          srm: { pValue: ratio.pValue ?? null, ok: ratio.ok },
          metrics: metrics.map((metric, m) => {
            const of = (scope: number, isTreated: number): JointMoments =>
              cells[m]?.[(pair * scopesCount + scope) * 2 + isTreated] as JointMoments;
            return triggeredMetric(metric, [versus, arm], of, alpha);
          }),
        };
      });
      return { sections: { trigger: { comparisons } }, warnings };
    },
  };
}

function rowOf(rows: readonly ResultRow[], pair: number, isTreated: number): ResultRow {
  return rows.find((row) => Number(row["pair"]) === pair && Number(row["isTreated"]) === isTreated) ?? {};
}

function triggeredMetric(
  metric: DesignMetric,
  arms: readonly [versus: string, arm: string],
  of: (scope: number, isTreated: number) => JointMoments,
  alpha: number,
): TriggeredMetric {
  const differing = (isTreated: number) => estimateOf(metric, of(scopes.differing, isTreated));
  const lift = liftBetween(differing(1), differing(0), alpha);
  const [treated, control] = [1, 0].map(
    (isTreated): TriggeredArm => ({
      triggered: crossMomentsOf(metric, of(scopes.triggered, isTreated)),
      others: crossMomentsOf(metric, of(scopes.others, isTreated)),
    }),
  ) as [TriggeredArm, TriggeredArm];
  const diluted = dilutedEffect(treated, control, alpha);
  return {
    metric: metric.metric.id,
    arms: arms.map((arm, isTreated) => {
      const estimate = differing(isTreated);
      return {
        arm,
        units: of(scopes.differing, isTreated).count,
        mean: estimate.ok ? estimate.value.value : null,
        standardError: estimate.ok ? Math.sqrt(estimate.value.variance) : null,
      };
    }),
    triggered:
      lift === null ? null : { absolute: lift.absolute, relative: lift.relative, pValue: lift.pValue },
    diluted: diluted.ok
      ? {
          triggerRate: diluted.value.triggerRate,
          absolute: intervalOf(diluted.value.absolute),
          relative: diluted.value.relative === undefined ? null : intervalOf(diluted.value.relative),
        }
      : null,
  };
}

/**
 * What a request would have earned had the arms other weights. The ranker of an arm is no lottery: chance is in who gets
 * which arm alone, so the policies that the log can speak of are mixtures of the experiment's arms. Where both arms of two
 * would have shown the same list (counterfactual logging) it was certain to be shown, under any weights: the request
 * counts with weight 1, whichever arm served it.
 */

import type { Experiment } from "../domain/experiment.ts";
import {
  type Dialect,
  doubleSql,
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
  type Answer,
  criticalT,
  crossOf,
  type Estimate,
  type JointMoments,
  type NoPolicyValue,
  offPolicy,
} from "../statistics/statistics.ts";
import type { AskedDesign } from "./asked-design.ts";
import { leftOutWarnings, readOfHappened, requestMetrics } from "./design-metrics.ts";
import type { PolicyReport, PolicyValue } from "./design-sections.ts";
import { comparedRequests } from "./trigger-design.ts";

/** Probabilities by arm; an arm that is left out has none. They add up to 1. */
export type ArmPolicy = ReadonlyMap<string, number>;

/** Variables of a unit: its decisions, their weights, and of each metric what was earned and what a model expects. */
const decided = 0;
const weighted = 1;
const earnedOf = (metric: number): number => 2 + 2 * metric;
const robustOf = (metric: number): number => 3 + 2 * metric;

/**
 * The reward of a request is its metric over the outcomes that answer it. The reward model of the doubly robust estimate is
 * the mean reward of an arm's requests on the same day, of the arm's requests on all days where there are none: of the
 * other half of the units (by the md5 of their ids), so that no reward is judged by a model that has seen it.
 */
export function offPolicyDesign(
  dialect: Dialect,
  experiment: Experiment,
  policies: readonly ArmPolicy[],
  alpha: number,
): AskedDesign {
  const { arms } = experiment;
  const { metrics, values: rewarded, leftOut } = requestMetrics(experiment);
  // Of three arms the lists of two that did not serve are not compared with each other.
  const sharesLists = experiment.counterfactual !== undefined && arms.length === 2;
  const targets = policies.map((policy) => arms.map(({ id }) => policy.get(id) ?? 0));
  const never = arms.map(({ weight }) => weight === 0);
  const same = sharesLists
    ? "EXISTS (SELECT 1 FROM same_lists WHERE same_lists.request = exposed.request)"
    : "false";
  const rewards = rewarded.map((variable, i) => `${variableSql(variable)} AS r${i}`);
  const sum = (value: string): string => `${dialect.orderedSum(value, "true")}`;

  const models = metrics.map((_, i) => `${sum(`r${i}`)} / count(*) AS q${i}`).join(", ");
  const expected = (arm: number, metric: number): string =>
    `coalesce(d${arm}.q${metric}, a${arm}.q${metric})`;
  const joins = arms.map(
    (_, arm) => `
      LEFT JOIN daily_rewards AS d${arm}
      ON d${arm}.arm = ${arm} AND d${arm}.half <> rewarded.half AND d${arm}.day = rewarded.day
      LEFT JOIN arm_rewards AS a${arm} ON a${arm}.arm = ${arm} AND a${arm}.half <> rewarded.half`,
  );
  const decisions = targets.map((target, policy) => {
    const weight = `CASE WHEN same THEN 1e0 ELSE CASE rewarded.arm ${target.map((t, arm) => `WHEN ${arm} THEN ${doubleSql(t)}`).join(" ")} END / propensity END`;
    const robust = metrics.map((_, i) => {
      const ofPolicy = target
        .flatMap((t, arm) => (t === 0 ? [] : [`${doubleSql(t)} * ${expected(arm, i)}`]))
        .join(" + ");
      const logged = `CASE rewarded.arm ${arms.map((_, arm) => `WHEN ${arm} THEN ${expected(arm, i)}`).join(" ")} END`;
      // What is certain to be shown needs no model. A weight of 0 needs none of the logged action.
      return `CASE WHEN same THEN r${i} WHEN weight = 0e0 THEN ${ofPolicy} ELSE ${ofPolicy} + weight * (r${i} - ${logged}) END AS m${i}`;
    });
    return `
      SELECT ${policy} AS policy, unit, weight, ${metrics.map((_, i) => `r${i}`).join(", ")}, ${robust.join(", ")}
      FROM (SELECT *, ${weight} AS weight FROM rewarded) AS rewarded ${joins.join("")}`;
  });
  const ofUnit = metrics.flatMap((_, i) => [
    `${sum(`weight * r${i}`)} AS e${i}`,
    `coalesce(${sum(`m${i}`)}, 0e0) AS d${i}`,
    `count(m${i}) AS modelled${i}`,
  ]);
  const values = [
    `n AS v${decided}`,
    `w AS v${weighted}`,
    ...metrics.flatMap((_, i) => [`e${i} AS v${earnedOf(i)}`, `d${i} AS v${robustOf(i)}`]),
  ];
  const squares = values.map((_, i): [number, number] => [i, i]);
  const products = metrics.flatMap((_, i): [number, number][] => [
    [decided, earnedOf(i)],
    [weighted, earnedOf(i)],
    [decided, robustOf(i)],
  ]);
  return {
    design: {
      readsCounterfactuals: sharesLists,
      relations: [
        ...(sharesLists
          ? [
              ...comparedRequests(dialect, experiment),
              table(
                "same_lists",
                "SELECT DISTINCT request FROM compared_requests WHERE differs = 0 AND cut = 0",
              ),
            ]
          : []),
        table(
          "request_outcomes",
          `SELECT ${["request", ...outcomeFolds(dialect, rewarded)].join(", ")}
           FROM (SELECT ${["request", ...readOfHappened(rewarded)].join(", ")} FROM happened WHERE request IS NOT NULL) answers
           GROUP BY request`,
        ),
        table(
          "rewarded",
          `SELECT exposed.unit AS unit, arm, propensity, same, day, half, ${rewards.join(", ")}
           FROM (SELECT exposed.request AS request, exposed.unit AS unit, exposed.arm AS arm, propensity, ${same} AS same,
                        ${dialect.daysBetween("TIMESTAMP '1970-01-01 00:00:00'", "shown_at")} AS day,
                        CASE WHEN substr(md5(exposed.unit), 1, 1) < '8' THEN 0 ELSE 1 END AS half
                 FROM first_exposures AS exposed JOIN units ON units.unit = exposed.unit
                 WHERE exposed.arm IS NOT NULL AND NOT crossed) AS exposed
           LEFT JOIN request_outcomes ON request_outcomes.request = exposed.request`,
        ),
        table("daily_rewards", `SELECT arm, day, half, ${models} FROM rewarded GROUP BY arm, day, half`),
        table("arm_rewards", `SELECT arm, half, ${models} FROM rewarded GROUP BY arm, half`),
        view("decisions", decisions.join(" UNION ALL ")),
        table(
          "policy_units",
          `SELECT policy, unit, CAST(count(*) AS DOUBLE) AS n, ${sum("weight")} AS w, ${sum("weight * weight")} AS ww,
                  max(weight) AS largest, ${ofUnit.join(", ")}
           FROM decisions GROUP BY policy, unit`,
        ),
      ],
      queries: {
        design_weights: `
          SELECT policy, max(largest) AS largest, ${sum("ww")} AS squares,
                 ${metrics.map((_, i) => `sum(modelled${i}) AS modelled${i}`).join(", ")}
          FROM policy_units GROUP BY policy`,
        design_policies: momentsQuery(
          `(SELECT policy AS arm, ${values.join(", ")} FROM policy_units) valued`,
          values.length,
          [...squares, [decided, weighted], ...products],
          [],
        ),
      },
    },
    findings(results) {
      const found = targets.map((target, policy) => {
        const row = (results["design_weights"] ?? []).find((one) => Number(one["policy"]) === policy) ?? {};
        const all = values.map((_, i) => i);
        const moments = momentsIn(results["design_policies"] ?? [], all, policies.length)[
          policy
        ] as JointMoments;
        const unsupported = target.reduce((mass, t, arm) => mass + (never[arm] === true ? t : 0), 0);
        return policyReport({ arms, metrics }, target, moments, row, unsupported, alpha);
      });
      return {
        sections: { offPolicy: { policies: found.map(({ report }) => report) } },
        warnings: [
          ...new Set(found.flatMap(({ warnings }) => warnings)),
          ...leftOutWarnings("Policies", leftOut, "no request has a part of it"),
        ],
      };
    },
  };
}

function policyReport(
  { arms, metrics }: Pick<Experiment, "arms" | "metrics">,
  target: readonly number[],
  moments: JointMoments,
  row: ResultRow,
  unsupported: number,
  alpha: number,
): { readonly report: PolicyReport; readonly warnings: readonly string[] } {
  const units = moments.count;
  const sumOf = (variable: number): number => units * (moments.means[variable] as number);
  // A whole number, which a mean of it times the units need not be.
  const decisions = Math.round(sumOf(decided));
  const weight = sumOf(weighted);
  const name = arms.flatMap(({ id }, arm) => (target[arm] === 0 ? [] : [`${id}=${target[arm]}`])).join(",");
  const warnings: string[] = [];
  const estimates = metrics.map((metric, i) => {
    const values = offPolicy({
      ips: crossOf(moments, decided, earnedOf(i)),
      snips: crossOf(moments, weighted, earnedOf(i)),
      doublyRobust: crossOf(moments, decided, robustOf(i)),
      weights: crossOf(moments, decided, weighted),
      modelled: numberIn(row, `modelled${i}`),
      decisions,
      weight,
      squaredWeight: numberIn(row, "squares"),
      squaredUnitWeight: crossOf(moments, decided, weighted).m2Y + weight ** 2 / Math.max(1, units),
      largestWeight: numberIn(row, "largest"),
      unsupported: unsupported * decisions,
    });
    const estimated = (estimate: Answer<Estimate, NoPolicyValue>): PolicyValue | null => {
      if (estimate.ok) return valueWithInterval(estimate.value, alpha);
      warnings.push(`Policy ${name}, ${metric.id}: ${reasons[estimate.reason]}.`);
      return null;
    };
    return {
      values,
      report: {
        metric: metric.id,
        ips: estimated(values.ips),
        snips: estimated(values.snips),
        doublyRobust: estimated(values.doublyRobust),
      },
    };
  });
  const weights = estimates[0]?.values;
  return {
    report: {
      weights: Object.fromEntries(arms.map(({ id }, arm) => [id, target[arm] as number])),
      requests: decisions,
      units,
      effectiveRequests: weights?.effectiveDecisions ?? 0,
      effectiveUnits: weights?.effectiveUnits ?? 0,
      largestWeight: weights?.largestWeight ?? 0,
      meanWeight: weights?.meanWeight.ok
        ? {
            estimate: weights.meanWeight.value.value,
            standardError: Math.sqrt(weights.meanWeight.value.variance),
          }
        : null,
      unsupportedShare: weights?.unsupportedShare ?? 0,
      metrics: estimates.map(({ report }) => report),
    },
    warnings,
  };
}

function valueWithInterval({ value, variance, units }: Estimate, alpha: number): PolicyValue {
  const standardError = Math.sqrt(variance);
  const halfWidth = criticalT(alpha, units - 1) * standardError;
  return { estimate: value, ciLow: value - halfWidth, ciHigh: value + halfWidth, standardError };
}

const reasons: Record<NoPolicyValue, string> = {
  "no-units": "there are no requests",
  "one-unit": "there is one unit only",
  "zero-denominator": "no request was served as the policy would",
  infinite: "the values are too large to add up",
  "no-support": "it takes an arm that no unit gets, of which the log says nothing",
  "few-effective-units": "its weights leave fewer than 100 effective units, so that a few decide all",
  "no-reward-model": "no doubly robust estimate, since an arm has no requests of the other half of the units",
};

/** Whether the arms got the units that they were promised, and whether these saw them. */

import { count, counted } from "../domain/number-text.ts";
import type { StratumUnits } from "../measurement/measurement.ts";
import { exposureLoss, healthAlpha, strataSampleRatio } from "../statistics/statistics.ts";
import type { HealthFindings } from "./health-findings.ts";
import type { HealthCheck } from "./report-sections.ts";

/** Of all units: below it, those in several arms are too few to have come of a fault that spoils the others. */
const crossedShareMax = 0.01;

/** Between two arms' shares of units that never saw them: below it, what differs moves no metric that anybody would ship for. */
const lostShareMax = 0.01;

export function splitCheck({ srm, arms, units, latencies, days, weights }: HealthFindings): HealthCheck {
  const counted = arms.map((arm, i) => `${arm} ${count(units[i] ?? 0)}`).join(", ");
  const failing = (strata: readonly StratumUnits[]): readonly string[] =>
    strataSampleRatio(strata, weights).flatMap(({ name, ok }) => (ok ? [] : [name]));
  const cause = (): string => {
    const [badDays, slow] = [failing(days), failing(latencies)];
    if (badDays.length > 0 && badDays.length < days.length / 2) {
      return `the split is most surely off on ${badDays.slice(0, 3).join(", ")}: look at what was released or failed by then`;
    }
    if (slow.length > 0 && slow.length < latencies.length / 2) {
      return `the split is off where requests are ${slow.slice(0, 3).join(", ")}: one arm loses requests by their speed`;
    }
    return "one arm's requests or exposures are lost, or its bots filtered: compare each arm's error and timeout rates with its missing units";
  };
  return {
    id: "srm-phase",
    name: "Split of the phase",
    ok: srm.pValue === null ? null : srm.ok,
    pValue: srm.pValue,
    detail: counted,
    likelyCause: srm.ok ? null : cause(),
  };
}

export function strataChecks(findings: HealthFindings, isSplitBroken: boolean): HealthCheck[] {
  const { weights, days, surfaces, latencies } = findings;
  const check = (
    id: string,
    name: string,
    strata: readonly StratumUnits[],
    likelyCause: string,
    isTold: boolean,
  ): HealthCheck => {
    // One alone is the phase itself.
    const tested = strata.length < 2 ? [] : strataSampleRatio(strata, weights);
    const judged = tested.filter(({ pValueAdjusted }) => pValueAdjusted !== undefined);
    const failed = judged.filter(({ ok }) => !ok);
    const named = failed
      .slice(0, 5)
      .map((one) => `${one.name} (${counted(one.units, "unit")})`)
      .join(", ");
    return {
      id,
      name,
      ok: judged.length === 0 || !isTold ? null : failed.length === 0,
      pValue: judged.length === 0 ? null : Math.min(...judged.map((one) => one.pValueAdjusted ?? 1)),
      detail: failed.length === 0 ? `${judged.length} of ${strata.length} can be tested` : `off: ${named}`,
      // Where all are off, none of them is the reason.
      likelyCause: failed.length === 0 || failed.length === judged.length ? null : likelyCause,
    };
  };
  return [
    check(
      "srm-day",
      "Split by day of first exposure",
      days,
      "something that came and went: a release, an outage or a filter of those days",
      true,
    ),
    check(
      "srm-surface",
      "Split by surface",
      surfaces,
      "one surface loses or repeats an arm's exposures",
      true,
    ),
    // Arms that differ in speed differ here in what they are, and not by a fault: it names the cause of a broken split.
    check(
      "srm-latency",
      "Split by latency before the model",
      latencies,
      "an arm loses requests by their speed, or its features are slower to fetch",
      isSplitBroken,
    ),
  ];
}

export function crossedCheck({ crossed, units }: HealthFindings): HealthCheck {
  const all = crossed + units.reduce((sum, count) => sum + count, 0);
  const isMany = crossed > crossedShareMax * all;
  return {
    id: "units-in-several-arms",
    name: "Units in several arms",
    ok: all === 0 ? null : !isMany,
    pValue: null,
    detail: `${count(crossed)} of ${counted(all, "unit")}`,
    likelyCause: isMany
      ? "the unit's id changes, or several servers assign with different experiments"
      : null,
  };
}

/**
 * Units that were given an arm and saw its model's list never, only answers without it: how many may differ by arm only by
 * chance, or the arms' models are compared by how often they answer.
 */
export function exposureCheck({ exposed, arms }: HealthFindings): HealthCheck {
  const assigned = exposed.reduce((sum, arm) => sum + arm.assigned, 0);
  const lost = exposed.map((arm) => arm.assigned - arm.exposed);
  const tested = exposureLoss(exposed);
  const shares = tested.ok ? tested.value.lost.filter((share) => share !== undefined) : [];
  const isUneven = Math.max(...shares) - Math.min(...shares) > lostShareMax;
  const isLost = tested.ok && tested.value.pValue < healthAlpha && isUneven;
  const isNone = assigned > 0 && lost.every((units) => units === 0);
  const counted = arms.map((arm, i) => `${arm} ${lost[i]} of ${exposed[i]?.assigned}`).join(", ");
  return {
    id: "exposure-loss",
    name: "Exposure loss",
    ok: tested.ok ? !isLost : isNone ? true : null,
    pValue: tested.ok ? tested.value.pValue : null,
    detail:
      assigned === 0
        ? "the log has exposures only, not assignments without one: a loss that differs by arm shows in the split"
        : `units that never saw a list of their arm's model: ${counted} (those that had no answer at all are not in the log, and miss in the split)`,
    likelyCause: isLost
      ? "one arm's model is missing, too slow for the deadline, or fails more often than the other's: look at its fallbacks before its metrics"
      : null,
  };
}

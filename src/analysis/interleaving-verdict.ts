/** What an interleaving says, and whether its lists were drafted as they should be: the verdict of a report without arms to compare. */
import type { Drafted } from "../designs/designs.ts";
import type { Experiment } from "../domain/experiment.ts";
import { count, counted, level, plainPercent, probability } from "../domain/number-text.ts";
import { holm, proportion, sampleRatio } from "../statistics/statistics.ts";
import type { InterleavingReport, PreferenceReport } from "./interleaving-report.ts";
import { type Horizon, horizonOf } from "./plan.ts";
import type { HealthCheck, HealthReport, PlanReport, VerdictReport } from "./report-sections.ts";

/** Of all places: with fewer competitive ones an interleaving takes long. */
export const fewCompetitive = 0.1;

/** Of all lists: below it those in which the arms do not take turns are too few to move anything. */
const unevenShareMax = 0.01;

export interface InterleavingJudgement {
  readonly verdict: VerdictReport;
  readonly health: HealthReport;
  readonly plan: PlanReport;
}

export function judgeInterleaving(
  plan: Experiment["plan"],
  report: InterleavingReport,
  drafted: Drafted,
  alpha: number,
  asOf: Date,
): InterleavingJudgement {
  const primaries = report.metrics.filter(({ role }) => role === "primary").length;
  const horizon = horizonOf(plan, report.units, asOf, alpha, primaries);
  const checks = [firstPicks(report, drafted), takingTurns(drafted), competitivePlaces(report)];
  const health = { ok: checks.every(({ ok }) => ok !== false), checks };
  return { verdict: verdictOf(report, health, horizon, alpha), health, plan: horizon.report };
}

/** A fair coin says who picks first in a list: as often either, by chi-square. */
function firstPicks({ arm, versus }: InterleavingReport, { firstPicks, secondPicks }: Drafted): HealthCheck {
  const ratio = sampleRatio([firstPicks, secondPicks], [1, 1]);
  return {
    id: "first-picks",
    name: "First picks",
    ok: ratio.pValue === undefined ? null : ratio.ok,
    pValue: ratio.pValue ?? null,
    detail: `${arm} picked first in ${counted(firstPicks, "list")}, ${versus} in ${secondPicks}`,
    likelyCause: ratio.ok
      ? null
      : "lists are lost or filtered by who picked first, or one interleaveId is asked for again and again",
  };
}

/** In each round either picks once, so that their picks in a list differ by one at most. */
function takingTurns({ lists, uneven }: Drafted): HealthCheck {
  const isBroken = uneven > unevenShareMax * lists;
  return {
    id: "taking-turns",
    name: "Arms take turns",
    ok: lists === 0 ? null : !isBroken,
    pValue: null,
    detail: `in ${count(lists - uneven)} of ${counted(lists, "list")}`,
    likelyCause: isBroken ? "lists are changed after the draft, or were drafted by another server" : null,
  };
}

/** Few are no fault: there is little to be said. */
function competitivePlaces({ competitiveShare: share, arm, versus }: InterleavingReport): HealthCheck {
  const isFew = share !== null && share < fewCompetitive;
  return {
    id: "competitive-places",
    name: "Competitive places",
    ok: share === null || isFew ? null : true,
    pValue: null,
    detail: share === null ? "no list was drafted" : `${plainPercent(share)} of the places`,
    likelyCause: isFew ? `${arm} and ${versus} rank nearly the same: few outcomes say which is better` : null,
  };
}

function verdictOf(
  report: InterleavingReport,
  health: HealthReport,
  horizon: Horizon,
  alpha: number,
): VerdictReport {
  const failed = health.checks.filter(({ ok }) => ok === false);
  if (failed.length > 0) {
    return {
      kind: "unhealthy",
      sentence: "Do not decide on these numbers: the lists were not drafted as they should be.",
      reasons: failed.flatMap(({ name, detail, pValue, likelyCause }) => [
        `${name}: ${detail}${pValue === null ? "" : ` (p ${probability(pValue)})`}.`,
        `Likely cause: ${likelyCause}.`,
      ]),
    };
  }
  const { kind, ended, plannedUnits, plannedEnd, units } = horizon.report;
  const open = (sentence: string): VerdictReport => ({ kind: "open", sentence, reasons: [] });
  if (report.units === 0) return open("Nothing can be said: no list was drafted yet.");
  const primary = report.metrics.filter(({ role }) => role === "primary");
  if (primary.length === 0) return open("No verdict: there is no primary metric to decide on.");
  if (kind === "fixed" && !ended) {
    const planned =
      plannedUnits === null
        ? `on ${plannedEnd}`
        : `at ${counted(plannedUnits, "unit")}, of which ${units} are there`;
    return {
      kind: "too-early",
      sentence: "Too early for a verdict.",
      reasons: [`The plan is one look ${planned}.`],
    };
  }
  const preferred = preferences(primary, kind === "fixed", alpha);
  const worst = ["worse", "better", "open"].find((one) => preferred.some((metric) => metric.kind === one));
  const shown = preferred.filter((one) => one.kind === worst);
  const { arm, versus } = report;
  const words = shown.map((one) => countedWords(report, one, alpha)).join("; ");
  const lead = {
    better: `${arm} is preferred to ${versus} on`,
    worse: `${versus} is preferred to ${arm} on`,
    open: "No preference shown on",
  }[worst as Preferred["kind"]];
  const adjusted = preferred.map(({ metric, pValue }) =>
    pValue === undefined
      ? `${metric.metric}: nothing can be said (see the warnings)`
      : `${metric.metric}: adjusted p ${probability(pValue)}`,
  );
  return {
    kind: worst as Preferred["kind"],
    sentence: `${lead} ${words}.`,
    reasons:
      worst === "open" ? adjusted : [...adjusted, "By how much a metric moves, only an A/B test says."],
  };
}

interface Preferred {
  readonly metric: PreferenceReport;
  readonly kind: "better" | "worse" | "open";
  /** Of the sign test as the plan has it looked at, by Holm over the primaries; undefined where there is none. */
  readonly pValue: number | undefined;
  readonly isOnce: boolean;
}

/** Harm counts first. Where less is better, the arm with less credit is the better one. */
function preferences(
  primary: readonly PreferenceReport[],
  isOnce: boolean,
  alpha: number,
): readonly Preferred[] {
  const pValueOf = ({ sign, alwaysValid }: PreferenceReport): number | undefined =>
    isOnce ? sign?.pValue : alwaysValid?.sign.pValue;
  const tested = primary.filter((metric) => pValueOf(metric) !== undefined);
  const adjusted = holm(tested.map((metric) => pValueOf(metric) ?? 1));
  return primary.map((metric): Preferred => {
    const pValue = adjusted[tested.indexOf(metric)];
    const isShown = pValue !== undefined && pValue < alpha && metric.sign !== null;
    const isBetter = (metric.sign?.share ?? 0) > 0.5 === (metric.goal === "increase");
    return { metric, kind: isShown ? (isBetter ? "better" : "worse") : "open", pValue, isOnce };
  });
}

/** `completions: 63.2 % of 812 units with a preference gave kd more (95 % interval 58.0 % to 68.1 %, however often one looks)`. */
function countedWords(
  { arm, versus }: InterleavingReport,
  { metric, isOnce }: Preferred,
  alpha: number,
): string {
  const { sign, alwaysValid, wins, losses } = metric;
  if (sign === null) return `${metric.metric}: no number (see the warnings)`;
  const isArm = sign.share > 0.5;
  const once = proportion({ events: isArm ? wins : losses, units: wins + losses }, alpha);
  const always = alwaysValid?.sign;
  const [low, high] =
    isOnce || always === undefined
      ? once.ok
        ? [once.value.ciLow, once.value.ciHigh]
        : [0, 1]
      : isArm
        ? [always.low, always.high]
        : [1 - always.high, 1 - always.low];
  return (
    `${metric.metric}: ${plainPercent(Math.max(sign.share, 1 - sign.share))} of ${counted(wins + losses, "unit")} with a preference ` +
    `gave ${isArm ? arm : versus} more (${level(alpha)} interval ${plainPercent(low)} to ${plainPercent(high)}` +
    `${isOnce ? "" : ", however often one looks"})`
  );
}

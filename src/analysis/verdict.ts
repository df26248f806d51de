/** The verdict of the whole experiment, by roles and plan, where its health allows one. */

import { count, counted, level, percent, probability, signed } from "../domain/number-text.ts";
import type { AdjustedTest } from "../statistics/statistics.ts";
import type { DecidedEffect, Decision } from "./decision.ts";
import { minimumEffectWords } from "./minimum-effect.ts";
import type { Horizon } from "./plan.ts";
import type { MetricReport } from "./report.ts";
import type { HealthCheck, HealthReport, VerdictReport } from "./report-sections.ts";
import type { ArmStatement } from "./tradeoff.ts";

/** One comparison, with what was decided of it. */
export interface Judged {
  readonly metric: MetricReport;
  readonly arm: string;
  readonly versus: string;
  readonly decision: Decision;
  readonly adjusted: AdjustedTest;
}

export interface VerdictFacts {
  readonly alpha: number;
  readonly excludedUnits: number;
  /** Of quality against latency and cost, where there are any. */
  readonly statements: readonly ArmStatement[];
}

/**
 * An arm is better where a primary metric is, none is worse and every guardrail with a margin keeps it; it is worse where a
 * primary is, a guardrail passes its margin, or one without a margin is worse; it is not worse where every primary has a
 * margin and keeps it. Of several arms the best speaks.
 */
export function verdictOf(
  judged: readonly Judged[],
  health: HealthReport,
  { report }: Horizon,
  { alpha, excludedUnits, statements }: VerdictFacts,
): VerdictReport {
  const failed = health.checks.filter(({ ok }) => ok === false);
  if (failed.length > 0) {
    const causes = failed.flatMap(({ likelyCause }) => (likelyCause === null ? [] : [likelyCause]));
    return {
      kind: "unhealthy",
      sentence: `Do not decide on these numbers: ${refusal(failed, report.units, excludedUnits)}.`,
      reasons: [
        ...failed.map(({ name, detail, pValue }) => `${name}: ${detail}${withProbability(pValue)}.`),
        ...[...new Set(causes)].map((cause) => `Likely cause: ${cause}.`),
      ],
    };
  }
  if (report.units === 0) {
    return { kind: "open", sentence: "Nothing can be said: there is no data yet.", reasons: [] };
  }
  const few = health.checks.find(({ id, likelyCause }) => id === "enough-units" && likelyCause !== null);
  const early = (reason: string): VerdictReport => ({
    kind: "too-early",
    sentence: "Too early for a verdict.",
    reasons: [reason],
  });
  if (report.kind === "fixed" && !report.ended) {
    return early(
      report.plannedUnits === null
        ? `The plan is one look, on ${report.plannedEnd}.`
        : report.units >= report.plannedUnits
          ? `The ${count(report.plannedUnits)} units of the plan's one look are there, and the last of them have not had the attribution window for their outcomes.`
          : `The plan is one look at ${counted(report.plannedUnits, "unit")}, of which ${count(report.units)} are there.`,
    );
  }
  if (few !== undefined) return early(`Too few units yet: ${few.detail}. Look again once they are there.`);
  const primary = judged.filter(({ metric }) => metric.role === "primary");
  if (primary.length === 0) {
    return { kind: "open", sentence: "No verdict: there is no primary metric to decide on.", reasons: [] };
  }
  const arms = [...new Set(primary.map(({ arm }) => arm))];
  const verdicts = arms.map((arm) =>
    verdictOfArm(
      arm,
      judged.filter((one) => one.arm === arm),
      alpha,
      statements.find((one) => one.arm === arm),
    ),
  );
  const best = order.flatMap((kind) => verdicts.filter((one) => one.kind === kind))[0] as VerdictReport;
  const others = verdicts.filter((one) => one !== best).map(({ sentence }) => sentence);
  return { ...best, reasons: [...best.reasons, ...others] };
}

function refusal(failed: readonly HealthCheck[], units: number, excludedUnits: number): string {
  if (failed.some(({ id }) => id === "srm-phase")) {
    return "the arms did not get the units that their weights promise";
  }
  if (units === 0 && excludedUnits > 0) {
    return "every unit was seen in more than one arm, so none is left to compare";
  }
  return `${failed.length === 1 ? "a health check" : `${failed.length} health checks`} failed`;
}

function withProbability(pValue: number | null): string {
  return pValue === null ? "" : ` (p ${probability(pValue)})`;
}

const order: readonly VerdictReport["kind"][] = ["better", "not-worse", "open", "worse"];

/** What a faster or cheaper arm costs in quality is a reason whatever the verdict, and part of it where the arm is not worse. */
function verdictOfArm(
  arm: string,
  judged: readonly Judged[],
  alpha: number,
  statement: ArmStatement | undefined,
): VerdictReport {
  const { kind, sentence, reasons } = verdictByRoles(arm, judged, alpha);
  if (statement === undefined) return { kind, sentence, reasons };
  const isWhole = kind === "not-worse" && statement.verdict === "proven";
  return {
    kind,
    sentence: isWhole ? `${sentence.slice(0, -1)}, and ${statement.gained}.` : sentence,
    reasons: [...reasons, statement.sentence],
  };
}

function verdictByRoles(arm: string, judged: readonly Judged[], alpha: number): VerdictReport {
  const [{ versus }] = judged as [Judged];
  const isShown = ({ decision, adjusted }: Judged, direction: "better" | "worse"): boolean =>
    decision.direction === direction &&
    (decision.crossed ?? (adjusted.pValue !== undefined && adjusted.pValue < alpha));
  const primary = judged.filter(({ metric }) => metric.role === "primary");
  const guards = judged.filter(({ metric }) => metric.role === "guardrail");
  const [better, worse] = [
    primary.filter((one) => isShown(one, "better")),
    primary.filter((one) => isShown(one, "worse")),
  ];
  const hasTest = ({ margin }: Decision): boolean => margin !== "none" && margin !== "untested";
  const broken = guards.filter((one) =>
    hasTest(one.decision) ? one.decision.margin === "passed" : isShown(one, "worse"),
  );
  const unproven = guards.filter(({ decision: { margin } }) => margin === "open" || margin === "untested");
  const told = ({ metric, adjusted }: Judged): string =>
    `${metric.metric}: adjusted p ${probability(adjusted.pValue ?? null)}`;
  const effects = (of: readonly Judged[]): string => of.map(effectWords).join("; ");
  if (worse.length > 0 || broken.length > 0) {
    return {
      kind: "worse",
      sentence: `${arm} is worse than ${versus} on ${effects([...worse, ...broken])}.`,
      reasons: [
        ...worse.map(told),
        ...broken.map(
          ({ metric, decision }) =>
            `guardrail ${metric.metric} is worse${hasTest(decision) ? " by more than its margin" : ""}`,
        ),
      ],
    };
  }
  const open = unproven.map(({ metric, decision }) =>
    decision.margin === "untested"
      ? `guardrail ${metric.metric}: its margin cannot be tested (see the warnings)`
      : `guardrail ${metric.metric} is not shown to keep its margin yet`,
  );
  if (better.length > 0) {
    return open.length === 0
      ? {
          kind: "better",
          sentence: `${arm} is better than ${versus} on ${effects(better)}.`,
          reasons: better.map(told),
        }
      : {
          kind: "open",
          sentence: `${arm} is better than ${versus} on ${effects(better)}; but not every guardrail is safe.`,
          reasons: [...better.map(told), ...open],
        };
  }
  if (open.length === 0 && primary.every(({ decision }) => decision.margin === "kept")) {
    return {
      kind: "not-worse",
      sentence: `${arm} is not worse than ${versus} by more than the margin on ${effects(primary)}.`,
      reasons: primary.map(told),
    };
  }
  return {
    kind: "open",
    sentence: `No difference shown between ${arm} and ${versus} on ${effects(primary)}.`,
    reasons: [
      ...primary.map(told),
      ...primary.flatMap(({ metric, decision: { minimumEffect } }) =>
        minimumEffect === undefined ? [] : [`${metric.metric}: ${minimumEffectWords(minimumEffect)}`],
      ),
      ...open,
    ],
  };
}

/** `completions: +20.0 % with CUPED (difference +1.00, 95 % interval +0.71 to +1.28, however often one looks)`. */
function effectWords({ metric, arm, decision }: Judged): string {
  const { effect } = decision;
  if (effect === undefined) return `${metric.metric}: no number (see the warnings)`;
  const { lift, estimate, ciLow, ciHigh, alpha, holds } = effect;
  const how = lift === undefined ? signed(estimate) : percent(lift);
  // The table's lift is without it: the reader should know why the two differ.
  const isAdjusted = metric.comparisons.some((one) => one.arm === arm && one.cuped !== null);
  const difference = lift === undefined ? "" : `difference ${signed(estimate)}, `;
  return (
    `${metric.metric}: ${how}${isAdjusted ? " with CUPED" : ""} (${difference}${level(alpha)} interval ` +
    `${signed(ciLow)} to ${signed(ciHigh)}${whenHeld[holds]})`
  );
}

const whenHeld: Record<DecidedEffect["holds"], string> = {
  once: "",
  "at-looks": ", over all looks of the plan",
  always: ", however often one looks",
};

import type { Arm, Experiment, Metric } from "../domain/experiment.ts";
import {
  alwaysValidPreference,
  alwaysValidSign,
  alwaysValidTunedUnits,
  competitiveShare,
  holm,
  type NoPreference,
  noInterleavingSums,
  preferenceTest,
  signTest,
} from "../statistics/statistics.ts";
import { leftOutWarnings, requestMetrics } from "./design-metrics.ts";
import type { LogSources } from "./dialect.ts";
import type { AnalysisEngine, ResultRow } from "./engine.ts";
import {
  type DraftingArms,
  interleavingCredit,
  interleavingDesign,
  type MetricCredit,
} from "./interleaving-design.ts";
import { fewCompetitive, judgeInterleaving } from "./interleaving-verdict.ts";
import { logStatements } from "./log-statements.ts";
import type { AnalysisReport } from "./report.ts";
import type { InterleavingReport, PreferenceReport } from "./report-interleaving.ts";

export interface InterleavingAnalysis {
  readonly experiment: Experiment;
  readonly files: LogSources;
  readonly engine: AnalysisEngine;
  readonly alpha: number;
  readonly asOf: Date;
  readonly notices: readonly string[];
  readonly onProgress?: ((done: number, of: number) => void) | undefined;
}

/**
 * The analysis of an interleaving's current phase: which arm units prefer, each unit compared with itself. What counts is
 * what counts anywhere (docs/statistics.md), but for what users did without a list, which is nobody's credit. There are
 * no arms to be compared and no sample ratio: every unit has both.
 */
export async function analyzeInterleaving(input: InterleavingAnalysis): Promise<AnalysisReport> {
  const { experiment, engine, alpha } = input;
  const arms = draftingArms(experiment);
  // All units get one entry, which stands for both arms; compared with itself a unit needs no past.
  const drawn = {
    ...experiment,
    arms: [{ ...arms.second, id: "interleaved" }],
    metrics: experiment.metrics.map((metric) => ({ ...metric, covariate: "none" })),
  };
  const { metrics: credited, leftOut } = requestMetrics(drawn);
  const design = interleavingDesign(engine.dialect, drawn, arms);
  const { prepare, queries } = logStatements(engine.dialect, drawn, input.files, [design]);
  const results = await engine.run(prepare, queries, input.onProgress);
  const [totals = {}] = results.totals;
  const [units = {}] = results.arms;
  const credit = interleavingCredit(results, credited.length);
  const interleaving = interleavingReport(
    credited,
    arms,
    credit,
    results["design_drafted"]?.[0] ?? {},
    alpha,
  );
  const judged = judgeInterleaving(
    { ...experiment, metrics: credited },
    interleaving,
    results["design_drafted"]?.[0] ?? {},
    alpha,
    input.asOf,
  );
  const impressions = Number(units["impressions"] ?? 0);
  return {
    experiment: experiment.id,
    phase: experiment.phase,
    asOf: input.asOf.toISOString(),
    alpha,
    unit: experiment.unit,
    arms: experiment.arms.map(({ id }) => ({ arm: id, units: Number(units["units"] ?? 0), impressions })),
    srm: { expected: experiment.arms.map(() => 0.5), statistic: null, pValue: null, ok: true },
    ...judged,
    metrics: [],
    excludedUnits: 0,
    unmatchedOutcomes: Number(totals["unmatched"] ?? 0),
    lateOutcomes: Number(units["late"] ?? 0),
    warnings: [
      ...input.notices,
      ...warningsOf({ ...experiment, metrics: credited }, interleaving, credit, totals),
      ...leftOutWarnings(
        "Interleaving",
        leftOut,
        "it has no part that one arm's items could be credited with",
      ),
    ],
    interleaving,
  };
}

function draftingArms({ arms }: Experiment): DraftingArms {
  const second = arms.find(({ control }) => control) as Arm;
  return { first: arms.find((arm) => arm !== second) as Arm, second };
}

function interleavingReport(
  metrics: readonly Metric[],
  { first, second }: DraftingArms,
  credit: readonly MetricCredit[],
  drafted: ResultRow,
  alpha: number,
): InterleavingReport {
  const preferences = metrics.map(({ id, role, goal }, i): PreferenceReport => {
    const { sums, ties } = credit[i] as MetricCredit;
    const [sign, preference] = [signTest(sums), preferenceTest(sums, alpha)];
    const [signAnyTime, preferenceAnyTime] = [
      alwaysValidSign(sums, alpha),
      alwaysValidPreference(sums, alpha, alwaysValidTunedUnits),
    ];
    return {
      metric: id,
      role,
      goal,
      wins: sums.winsFirst,
      losses: sums.winsSecond,
      ties,
      sign: sign.ok ? sign.value : null,
      preference: preference.ok
        ? {
            estimate: preference.value.estimate,
            ciLow: preference.value.ciLow,
            ciHigh: preference.value.ciHigh,
            pValue: preference.value.pValue,
          }
        : null,
      pValueAdjusted: null,
      alwaysValid: signAnyTime.ok
        ? { sign: signAnyTime.value, preference: preferenceAnyTime.ok ? preferenceAnyTime.value : null }
        : null,
    };
  });
  const slots = Number(drafted["slots"] ?? 0);
  const competitiveSlots = Number(drafted["competitive"] ?? 0);
  const share = competitiveShare({ ...noInterleavingSums, slots, competitive: competitiveSlots });
  return {
    arm: first.id,
    versus: second.id,
    units: Number(drafted["units"] ?? 0),
    lists: Number(drafted["lists"] ?? 0),
    oneArmImpressions: Number(drafted["one_arm"] ?? 0),
    slots,
    competitiveSlots,
    competitiveShare: share.ok ? share.value : null,
    metrics: adjustPrimary(preferences),
  };
}

function adjustPrimary(metrics: readonly PreferenceReport[]): PreferenceReport[] {
  const family = metrics.filter(({ role, sign }) => role === "primary" && sign !== null);
  const adjusted = holm(family.map(({ sign }) => sign?.pValue ?? 1));
  return metrics.map((metric) => ({
    ...metric,
    pValueAdjusted: adjusted[family.indexOf(metric)] ?? null,
  }));
}

function warningsOf(
  { id, phase, metrics }: Experiment,
  { units, competitiveShare: share, oneArmImpressions, arm, versus }: InterleavingReport,
  credit: readonly MetricCredit[],
  totals: ResultRow,
): string[] {
  const warnings: string[] = [];
  if (units === 0) return [`No data: the log holds no drafted list of ${id} in phase ${phase}.`];
  for (const [i, metric] of metrics.entries()) {
    const tested = signTest((credit[i] as MetricCredit).sums);
    if (!tested.ok) warnings.push(`${metric.id}: no preference, since ${reasons[tested.reason]}.`);
  }
  if (share !== null && share < fewCompetitive) {
    warnings.push(
      `${arm} and ${versus} would have shown different items in ${(share * 100).toFixed(1)} % of the places only: ` +
        "few outcomes say anything of which is better.",
    );
  }
  if (oneArmImpressions > 0) {
    warnings.push(
      `${oneArmImpressions} ${oneArmImpressions === 1 ? "answer was" : "answers were"} one arm's list alone, or no ` +
        "arm's: no credit is counted in them.",
    );
  }
  const [unmatched, repeated] = [Number(totals["unmatched"] ?? 0), Number(totals["repeated"] ?? 0)];
  if (unmatched > 0) {
    warnings.push(
      `${unmatched} ${unmatched === 1 ? "outcome answers" : "outcomes answer"} no known request, or an item that ` +
        "was not shown: not counted.",
    );
  }
  if (repeated > 0)
    warnings.push(`${repeated} impressions repeat the request id of an earlier one: not counted.`);
  return warnings;
}

const reasons: Record<NoPreference, string> = {
  "no-units": "no list was drafted",
  "one-unit": "one unit only gave credit",
  "no-variance": "all units prefer the same to the same degree",
  infinite: "the values are too large to add up",
  "no-credit": "no unit prefers either arm",
  "no-competitive-slots": "the arms' lists never differed",
};

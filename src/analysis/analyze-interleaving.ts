import {
  creditsIn,
  type DraftingArms,
  draftedIn,
  interleavingDesign,
  leftOutWarnings,
  type MetricCredit,
  requestMetrics,
} from "../designs/designs.ts";
import type { Arm, Experiment, Metric } from "../domain/experiment.ts";
import { counted } from "../domain/number-text.ts";
import {
  type AnalysisEngine,
  countsIn,
  type LogCounts,
  type LogSources,
  logStatements,
} from "../measurement/measurement.ts";
import { type NoPreference, signTest } from "../statistics/statistics.ts";
import { type InterleavingReport, interleavingReport } from "./interleaving-report.ts";
import { fewCompetitive, judgeInterleaving } from "./interleaving-verdict.ts";
import { repeatedWarnings, unmatchedWarnings } from "./log-warnings.ts";
import type { AnalysisReport } from "./report.ts";

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
  const { experiment, engine, alpha, asOf } = input;
  const drafting = draftingArms(experiment);
  // All units get one entry, which stands for both arms; compared with itself a unit needs no past.
  const drawn = {
    ...experiment,
    arms: [{ ...drafting.second, id: "interleaved" }],
    metrics: experiment.metrics.map((metric) => ({ ...metric, covariate: "none" })),
  };
  const { metrics, leftOut } = requestMetrics(drawn);
  const design = interleavingDesign(engine.dialect, drawn, drafting);
  const { prepare, queries } = logStatements(engine.dialect, drawn, input.files, [design]);
  const results = await engine.run(prepare, queries, input.onProgress);
  const counts = countsIn(drawn, results);
  const drafted = draftedIn(results);
  const credit = creditsIn(results, drafted, metrics.length);
  const interleaving = interleavingReport(metrics, drafting, credit, drafted, alpha);
  const { units = 0, impressions = 0 } = counts.arms[0] ?? {};
  return {
    experiment: experiment.id,
    phase: experiment.phase,
    asOf: asOf.toISOString(),
    alpha,
    unit: experiment.unit,
    arms: experiment.arms.map(({ id }) => ({ arm: id, units, impressions })),
    srm: { expected: experiment.arms.map(() => 0.5), statistic: null, pValue: null, ok: true },
    ...judgeInterleaving(experiment.plan, interleaving, drafted, alpha, asOf),
    metrics: [],
    excludedUnits: 0,
    unmatchedOutcomes: counts.unmatched,
    lateOutcomes: counts.late,
    warnings: [
      ...input.notices,
      ...warningsOf(experiment, metrics, interleaving, credit, counts),
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

function warningsOf(
  { id, phase }: Experiment,
  metrics: readonly Metric[],
  { units, competitiveShare: share, oneArmImpressions, arm, versus }: InterleavingReport,
  credit: readonly MetricCredit[],
  counts: LogCounts,
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
      `${counted(oneArmImpressions, "answer was", "answers were")} one arm's list alone, or no ` +
        "arm's: no credit is counted in them.",
    );
  }
  return [...warnings, ...unmatchedWarnings(counts), ...repeatedWarnings(counts)];
}

const reasons: Record<NoPreference, string> = {
  "no-units": "no list was drafted",
  "one-unit": "one unit only gave credit",
  "no-variance": "all units prefer the same to the same degree",
  infinite: "the values are too large to add up",
  "no-credit": "no unit prefers either arm",
  "no-competitive-slots": "the arms' lists never differed",
};

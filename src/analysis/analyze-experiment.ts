import type { Experiment } from "../domain/experiment.ts";
import type { LogFiles } from "../domain/log-reading.ts";
import { analyzeInterleaving } from "./analyze-interleaving.ts";
import { assembleReport } from "./assemble.ts";
import { askedDesigns, type DesignQuestions, findingsOf, refuseForInterleaving } from "./designs.ts";
import { duckDbEngine } from "./duckdb-engine.ts";
import type { AnalysisEngine, ResultRow } from "./engine.ts";
import { incrementalResults, type KeptStates } from "./incremental.ts";
import type { LogDesign } from "./log-design.ts";
import { logMeasures } from "./log-measures.ts";
import { type LogResults, logStatements } from "./log-statements.ts";
import { strataIn } from "./log-strata.ts";
import { timingsIn } from "./log-timings.ts";
import type { Measure } from "./measure.ts";
import { horizonOf } from "./plan.ts";
import { cutOf, looksDesign, type PlanLook, reachedLooks } from "./plan-look.ts";
import type { AnalysisReport } from "./report.ts";
import { type StrataDesign, strataDesign } from "./strata-design.ts";

export interface ExperimentAnalysis {
  readonly experiment: Experiment;
  /** The whole log, under the names by which the engine reads it. */
  readonly files: Pick<LogFiles, "impressions" | "outcomes" | "missingBefore"> &
    Partial<Pick<LogFiles, "counterfactuals">>;
  /** DuckDB in this process, on all cores, where left out. */
  readonly engine?: AnalysisEngine | undefined;
  /** Intervals have the level `1 - alpha`; in (0, 1). */
  readonly alpha: number;
  readonly asOf: Date;
  /** What else a reader has to know of the data, one sentence each: the first of the warnings. */
  readonly notices?: readonly string[] | undefined;
  /** Nothing more where left out. Not of an interleaving. */
  readonly designs?: DesignQuestions | undefined;
  /**
   * Where what was read before is kept, so that only what is new has to be read; the report is the same. With DuckDB in this
   * process only, and for no designs and no interleaving, which need the whole log and read it. No matter of `engine`.
   */
  readonly states?: (KeptStates & { readonly threads?: number | undefined }) | undefined;
  readonly onProgress?: ((done: number, of: number) => void) | undefined;
}

/**
 * The analysis of one experiment's current phase. One row a unit: an outcome counts where it answers an item that
 * was shown by a request of this phase, or where its unit did it once it was exposed in this phase, and where it came
 * within the attribution window; a unit without outcomes counts with 0. A unit that was forced into an arm in this phase
 * does not count, whatever it was shown before or after; units seen in two arms are left out and reported; a request or
 * outcome logged twice counts once, as it first came. A degraded impression stays in its arm (intention to treat). The
 * same log gives the same report, digit for digit, whichever engine works it out and on however many threads.
 * Of an interleaving, in which no unit has an arm, the report has the units' preference instead of metrics.
 * @throws {SetlistError} INVALID_ARGUMENT where `designs` ask for what the experiment has not.
 */
export async function analyzeExperiment(input: ExperimentAnalysis): Promise<AnalysisReport> {
  const { experiment, engine = duckDbEngine() } = input;
  const notices = [...(input.notices ?? []), ...missingNotice(input.files.missingBefore)];
  if (experiment.kind === "interleave") {
    refuseForInterleaving(experiment, input.designs ?? {});
    input.states?.onNotice("An interleaving is analysed over the whole log.");
    return analyzeInterleaving({ ...input, engine, notices });
  }
  const asked = askedDesigns(engine.dialect, experiment, input.designs ?? {}, input.alpha, input.asOf);
  const strata = strataOf(engine, experiment);
  const looks = looksDesign(experiment.plan);
  const designs = [...asked, ...strata].map(({ design }) => design).concat(looks ?? []);
  const results = (await knownResults(input, designs)) ?? (await wholeResults(input, engine, designs));
  const arms = armCounts(experiment, results.arms);
  const [totals = {}] = results.totals;
  const units = arms.reduce((sum, arm) => sum + arm.units, 0);
  const primaries = experiment.metrics.filter(({ role }) => role === "primary").length;
  const family = primaries * (arms.length - 1);
  const lateOutcomes = arms.reduce((sum, { late }) => sum + late, 0);
  const { sections, warnings } = await findingsOf(asked, results);
  const reached = reachedLooks(experiment, results["design_looks"] ?? [], input.asOf);
  const look = reached.filter(({ matures }) => matures <= input.asOf).at(-1);
  const { measures, ...known } = logMeasures(experiment, results);
  const stratified = strata[0]?.stratified(results);
  const report = assembleReport({
    experiment: experiment.id,
    phase: experiment.phase,
    asOf: input.asOf,
    alpha: input.alpha,
    unit: experiment.unit,
    arms: arms.map(({ arm, units, impressions }) => ({ arm, units, impressions })),
    weights: experiment.arms.map((arm) => arm.weight),
    control: experiment.arms.findIndex((arm) => arm.control),
    horizon: horizonOf(
      experiment.plan,
      units,
      input.asOf,
      input.alpha,
      family,
      hasLooks(experiment) ? (look ?? null) : "now",
    ),
    looked: look === undefined ? undefined : await measuresAt(input, engine, look),
    measures: measures.map((one) => ({ ...one, postStratified: stratified?.get(one.metric) })),
    ...known,
    strata: strataIn(results.strata, arms.length),
    exposed: arms.map(({ ranked, served }) => ({ assigned: ranked, exposed: served })),
    timings: timingsIn(results.timings, arms.length),
    costs: experiment.arms.map(({ cost }) => cost),
    excludedUnits: numberIn(totals, "crossed"),
    unmatchedOutcomes: numberIn(totals, "unmatched"),
    lateOutcomes,
    warnings: [
      ...notices,
      ...warningsOf(experiment, results.served, arms, { ...totals, late: lateOutcomes }),
      ...warnings,
    ],
  });
  return { ...report, ...sections };
}

function hasLooks({ plan }: Experiment): boolean {
  return plan?.kind === "fixed" || plan?.kind === "group-sequential";
}

async function measuresAt(
  { experiment, files, onProgress }: ExperimentAnalysis,
  engine: AnalysisEngine,
  look: PlanLook,
): Promise<readonly Measure[]> {
  const cut = cutOf(experiment, look);
  const { prepare, queries } = logStatements(engine.dialect, experiment, files, [], cut);
  const results = await engine.run(prepare, queries, onProgress);
  return logMeasures(experiment, results).measures;
}

function strataOf({ dialect }: AnalysisEngine, experiment: Experiment): StrataDesign[] {
  const { stratify, metrics } = experiment;
  const hasValues = metrics.some(({ type }) => type !== "quantile");
  return stratify === undefined || !hasValues ? [] : [strataDesign(dialect, experiment, stratify)];
}

/** Undefined where the whole log has to be read. */
async function knownResults(
  { experiment, files, states, onProgress }: ExperimentAnalysis,
  designs: readonly LogDesign[],
): Promise<WholeResults | undefined> {
  if (states === undefined) return undefined;
  if (designs.length === 0) {
    const known = await incrementalResults({
      experiment,
      files,
      states,
      threads: states.threads,
      onProgress,
    });
    return known && { ...known };
  }
  states.onNotice(
    "Looks of a plan, strata, segments, days, distributions, novelty, policies, calibration and counterfactuals need the whole log: it is read.",
  );
  return undefined;
}

type WholeResults = LogResults & Readonly<Record<string, readonly ResultRow[]>>;

function wholeResults(
  { experiment, files, onProgress }: ExperimentAnalysis,
  engine: AnalysisEngine,
  designs: readonly LogDesign[],
): Promise<WholeResults> {
  const { prepare, queries } = logStatements(engine.dialect, experiment, files, designs);
  return engine.run(prepare, queries, onProgress);
}

function missingNotice(missingBefore: number | undefined): string[] {
  if (missingBefore === undefined) return [];
  const since = new Date(missingBefore).toISOString();
  return [`Retention has removed what was logged before ${since}: not counted.`];
}

function numberIn(row: ResultRow, column: string): number {
  return Number(row[column] ?? 0);
}

interface ArmTotals {
  readonly arm: string;
  readonly units: number;
  readonly impressions: number;
  readonly fallbacks: number;
  readonly late: number;
  /** Units that were ranked for, and of these those that the arm's model answered at least once. */
  readonly ranked: number;
  readonly served: number;
}

function armCounts(experiment: Experiment, rows: readonly ResultRow[]): ArmTotals[] {
  const byArm = new Map(rows.map((row) => [Number(row["arm"]), row]));
  return experiment.arms.map((arm, place) => {
    const row = byArm.get(place) ?? {};
    return {
      arm: arm.id,
      units: numberIn(row, "units"),
      impressions: numberIn(row, "impressions"),
      fallbacks: numberIn(row, "fallbacks"),
      late: numberIn(row, "late"),
      ranked: numberIn(row, "ranked"),
      served: numberIn(row, "served"),
    };
  });
}

/** For each arm the models that scored for it in this phase, sorted: `home-kd version 1`. */
function modelsOfArms(
  experiment: Experiment,
  served: readonly ResultRow[],
): [arm: string, models: string[]][] {
  return experiment.arms.map(({ id }, place) => {
    const rows = served.filter(
      (row) => (row["arm"] ?? undefined) !== undefined && Number(row["arm"]) === place,
    );
    const models = rows.filter((row) => typeof row["model"] === "string");
    return [id, models.map((row) => `${row["model"]} version ${row["model_version"]}`).sort()];
  });
}

function warningsOf(
  experiment: Experiment,
  served: readonly ResultRow[],
  arms: readonly ArmTotals[],
  totals: ResultRow,
): string[] {
  const warnings: string[] = [];
  const crossed = numberIn(totals, "crossed");
  const unmatched = numberIn(totals, "unmatched");
  if (arms.every((arm) => arm.units === 0)) {
    warnings.push(
      `No data: the log holds no impression of ${experiment.id} in phase ${experiment.phase}` +
        `${experiment.status === "running" ? "" : `, and the experiment is ${experiment.status}`}.`,
    );
  }
  if (crossed > 0) {
    warnings.push(
      `${crossed} ${crossed === 1 ? "unit was" : "units were"} seen in more than one arm: left out.`,
    );
  }
  if (unmatched > 0) {
    warnings.push(
      `${unmatched} ${unmatched === 1 ? "outcome answers" : "outcomes answer"} no known request, or an item that ` +
        "was not shown: not counted.",
    );
  }
  const late = numberIn(totals, "late");
  if (late > 0) {
    warnings.push(
      `${late} ${late === 1 ? "outcome" : "outcomes"} came later than ${experiment.attributionWindow} after what ` +
        `${late === 1 ? "it answers" : "they answer"} (the attribution window): not counted.`,
    );
  }
  const repeated = numberIn(totals, "repeated");
  if (repeated > 0) {
    warnings.push(
      `${repeated} ${repeated === 1 ? "impression repeats" : "impressions repeat"} the request id of an earlier one: ` +
        "not counted.",
    );
  }
  for (const [arm, models] of modelsOfArms(experiment, served)) {
    if (models.length < 2) continue;
    warnings.push(
      `Arm ${arm} was served by ${models.join(" and ")} in this phase: name the arm's model version, so ` +
        "that a new one starts a new phase.",
    );
  }
  const impressionsWhere = (holds: (row: ResultRow) => boolean): number =>
    served.filter(holds).reduce((sum, row) => sum + numberIn(row, "impressions"), 0);
  const ofOtherPhases = impressionsWhere((row) => row["in_phase"] === false);
  if (ofOtherPhases > 0) {
    warnings.push(`${ofOtherPhases} impressions belong to other phases of the experiment: not counted.`);
  }
  const ofUnknownArms = impressionsWhere((row) => row["in_phase"] === true && row["known_arm"] === false);
  if (ofUnknownArms > 0) {
    warnings.push(
      `${ofUnknownArms} impressions carry an arm that the experiment does not have: not counted.`,
    );
  }
  for (const { arm, impressions, fallbacks } of arms) {
    if (fallbacks === 0) continue;
    warnings.push(
      `Arm ${arm}: ${fallbacks} of ${impressions} impressions were answered without its model; they stay in the arm.`,
    );
  }
  return warnings;
}

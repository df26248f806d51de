import {
  askedDesigns,
  type DesignQuestions,
  findingsOf,
  refuseForInterleaving,
  strataDesign,
} from "../designs/designs.ts";
import type { Experiment } from "../domain/experiment.ts";
import type { LogFiles } from "../domain/log-reading.ts";
import {
  type AnalysisEngine,
  countsIn,
  duckDbEngine,
  incrementalResults,
  type KeptStates,
  type LogDesign,
  type LogResults,
  logStatements,
  type Measured,
  measuredLog,
  type ResultRows,
} from "../measurement/measurement.ts";
import { analyzeInterleaving } from "./analyze-interleaving.ts";
import { assembleReport } from "./assemble.ts";
import { decidingTests } from "./deciding-tests.ts";
import { logWarnings } from "./log-warnings.ts";
import { familyOf, horizonOf } from "./plan.ts";
import { cutOf, looksDesign, type PlanLook, reachedLooks } from "./plan-look.ts";
import type { AnalysisReport } from "./report.ts";

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
  const { experiment, engine = duckDbEngine(), alpha, asOf, designs: questions = {} } = input;
  const notices = [...(input.notices ?? []), ...missingNotice(input.files.missingBefore)];
  if (experiment.kind === "interleave") {
    refuseForInterleaving(experiment, questions);
    input.states?.onNotice("An interleaving is analysed over the whole log.");
    return analyzeInterleaving({ ...input, engine, notices });
  }
  const { dialect } = engine;
  const asked = askedDesigns(dialect, experiment, questions, alpha, decidingTests(experiment, alpha, asOf));
  const strata = strataDesign(dialect, experiment);
  const looks = looksDesign(experiment.plan);
  const designs = [...asked.map(({ design }) => design), strata?.design, looks].filter(
    (design) => design !== undefined,
  );
  const results = (await knownResults(input, designs)) ?? (await wholeResults(input, engine, designs));
  const counts = countsIn(experiment, results);
  const units = counts.arms.reduce((sum, arm) => sum + arm.units, 0);
  const { sections, warnings } = await findingsOf(asked, results);
  const reached = reachedLooks(experiment, results["design_looks"] ?? [], asOf);
  const look = reached.filter(({ matures }) => matures <= asOf).at(-1);
  const looked = hasLooks(experiment) ? (look ?? null) : "now";
  const measured = measuredLog(experiment, results);
  const stratified = strata?.stratified(results);
  const report = assembleReport({
    ...measured,
    measures: measured.measures.map((one) => ({ ...one, postStratified: stratified?.get(one.metric) })),
    looked: look && (await measuredAt(input, engine, look)).measures,
    experiment: experiment.id,
    phase: experiment.phase,
    asOf,
    alpha,
    unit: experiment.unit,
    arms: counts.arms.map(({ arm, units, impressions }) => ({ arm, units, impressions })),
    weights: experiment.arms.map((arm) => arm.weight),
    control: experiment.arms.findIndex((arm) => arm.control),
    horizon: horizonOf(experiment.plan, units, asOf, alpha, familyOf(experiment), looked),
    costs: experiment.arms.map(({ cost }) => cost),
    excludedUnits: counts.crossed,
    unmatchedOutcomes: counts.unmatched,
    lateOutcomes: counts.late,
    warnings: [...notices, ...logWarnings(experiment, counts), ...warnings],
  });
  return { ...report, ...sections };
}

function hasLooks({ plan }: Experiment): boolean {
  return plan?.kind === "fixed" || plan?.kind === "group-sequential";
}

async function measuredAt(
  { experiment, files, onProgress }: ExperimentAnalysis,
  engine: AnalysisEngine,
  look: PlanLook,
): Promise<Measured> {
  const cut = cutOf(experiment, look);
  const { prepare, queries } = logStatements(engine.dialect, experiment, files, [], cut);
  return measuredLog(experiment, await engine.run(prepare, queries, onProgress));
}

type WholeResults = LogResults & ResultRows;

/** Undefined where the whole log has to be read. */
async function knownResults(
  { experiment, files, states, onProgress, designs: questions }: ExperimentAnalysis,
  designs: readonly LogDesign[],
): Promise<WholeResults | undefined> {
  if (states === undefined) return undefined;
  if (designs.length > 0) {
    states.onNotice(
      questions?.page === true
        ? "--html needs the whole log, so --incremental saves nothing here."
        : "Looks of a plan, strata, segments, days, distributions, novelty, policies, calibration and counterfactuals need the whole log: it is read.",
    );
    return undefined;
  }
  const known = await incrementalResults({
    experiment,
    files,
    states,
    threads: states.threads,
    onProgress,
  });
  return known && { ...known };
}

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

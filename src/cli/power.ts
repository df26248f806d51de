import { Command, Option } from "commander";
import type { Amount, Monitoring, PowerBaseline, PowerQuestion } from "../analysis/analysis.ts";
import { loadConfig } from "../config.ts";
import { UsageError } from "../domain/error.ts";
import { positiveInteger, positiveNumber, wholeNumberTo } from "./argument.ts";
import {
  amountFlag,
  finiteNumber,
  marginFlag,
  partialShare,
  properShare,
  triggerRateFlag,
  unitsByDayFlag,
  weightsFlag,
} from "./power-flags.ts";
import { segmentBar } from "./segment-bar.ts";

interface PowerFlags {
  readonly mean?: number;
  readonly proportion?: number;
  readonly ratio?: number;
  readonly quantile?: number;
  readonly sd?: number;
  readonly standardError?: number;
  readonly ofUnits?: number;
  readonly experiment?: string;
  readonly metric?: string;
  readonly dataDir?: string;
  readonly effect?: Amount;
  readonly effectMultiplies?: boolean;
  readonly units?: number;
  readonly days?: number;
  readonly unitsPerDay?: readonly number[];
  readonly margin?: Amount;
  readonly goal?: "increase" | "decrease";
  readonly alpha: number;
  readonly power: number;
  readonly arms?: number;
  readonly weights?: readonly number[];
  readonly comparisons?: number;
  readonly varianceReduction?: number;
  readonly triggerRate: number | "log";
  readonly analysed: "triggered" | "everybody";
  readonly monitoring: Monitoring["kind"];
  readonly looks?: number;
  readonly spending?: "obrien-fleming" | "pocock";
  readonly json?: boolean;
}

const armsMax = 100;
/** Looks that are planned one by one; whoever looks more often plans with always-valid. */
const looksMax = 50;

const kinds = ["mean", "proportion", "ratio", "quantile"] as const;

const examples = `
How many units?       setlist power --proportion 0.1 --effect 2%
What can be found?    setlist power --mean 1.2 --sd 3.4 --units 50000
How sure?             setlist power --mean 1.2 --sd 3.4 --units 50000 --effect 0.05
From the log:         setlist power --experiment home-kd --metric completions --effect 1%
The metric's own minimumEffect, from the log:      without --effect
A ratio, a quantile:  --ratio 0.3 --standard-error 0.002 --of-units 8000, both as a report has them

Amounts: 2% is part of the baseline, 0.02 is in the metric's own unit. docs/statistics.md has the formulas.`;

/** `setlist power`: the sample, the effect or the power that the flags leave open. */
export function powerCommand(): Command {
  return new Command("power")
    .description("Say how many units an experiment needs, what it can find, or how sure it is to find it.")
    .option("--mean <NUMBER>", "a baseline: the mean of a unit, with --sd or --standard-error", finiteNumber)
    .option("--proportion <SHARE>", "a baseline: the share of units", properShare)
    .option("--ratio <NUMBER>", "a baseline: a ratio of sums, with its spread likewise", finiteNumber)
    .option("--quantile <NUMBER>", "a baseline: a quantile of events, with its spread likewise", finiteNumber)
    .option(
      "--sd <NUMBER>",
      "the standard deviation of one unit; of a ratio or a quantile that of its influence, SE * sqrt(units)",
      positiveNumber,
    )
    .option(
      "--standard-error <NUMBER>",
      "instead of --sd: the standard error of an estimate, with --of-units",
      positiveNumber,
    )
    .option("--of-units <COUNT>", "the units of the estimate", positiveInteger)
    .option("--experiment <ID>", "a baseline: that of the experiment's control in the log, with --metric")
    .option("--metric <ID>", "experiment: the metric")
    .option(
      "--data-dir <FOLDER>",
      "experiment: the data directory; a server may be using it (default: ./data)",
    )
    .option(
      "--effect <AMOUNT>",
      "how much better treated is; below 0 worse, with --margin (default: the metric's minimumEffect)",
      amountFlag,
    )
    .option(
      "--effect-multiplies",
      "the effect multiplies every value, so that the spread of treated grows with it",
    )
    .option("--units <COUNT>", "the units of all arms (default: what is asked)", positiveInteger)
    .option("--days <COUNT>", "instead of --units: as many as come in so many days", positiveInteger)
    .option(
      "--units-per-day <COUNT,…>",
      "the new units of each day, the last repeating (default: the log's)",
      unitsByDayFlag,
    )
    .option(
      "--margin <AMOUNT>",
      "to show that treated is not worse by this much (default: to show a difference)",
      marginFlag,
    )
    .addOption(
      new Option("--goal <GOAL>", "which way is better (default: the metric's, or increase)").choices([
        "increase",
        "decrease",
      ]),
    )
    .option("--alpha <SHARE>", "of all comparisons; two-sided, one-sided with --margin", properShare, 0.05)
    .option("--power <SHARE>", "the probability to find the effect", properShare, 0.8)
    .option(
      "--arms <COUNT>",
      "equal arms, control among them (default: the experiment's, or 2)",
      wholeNumberTo(armsMax),
    )
    .option("--weights <WEIGHT,…>", "instead of --arms: the weights of the arms, control first", weightsFlag)
    .option(
      "--comparisons <COUNT>",
      "primary metrics times treated arms, which share alpha (default: the experiment's, or treated arms)",
      positiveInteger,
    )
    .option(
      "--variance-reduction <SHARE>",
      "what CUPED takes away, rho squared (default: the log's, or 0)",
      partialShare,
    )
    .option(
      "--trigger-rate <SHARE|log>",
      "of the units, those that the change can touch; log: as its counterfactuals have it",
      triggerRateFlag,
      1,
    )
    .addOption(
      new Option("--analysed <WHO>", "whom the analysis counts; the baseline is of these")
        .choices(["triggered", "everybody"])
        .default("triggered"),
    )
    .addOption(
      new Option("--monitoring <KIND>", "when one looks")
        .choices(["fixed", "always-valid", "group-sequential"])
        .default("fixed"),
    )
    .option("--looks <COUNT>", "group-sequential: equally spaced looks (default: 5)", wholeNumberTo(looksMax))
    .addOption(
      new Option(
        "--spending <KIND>",
        "group-sequential: how alpha is spent (default: obrien-fleming)",
      ).choices(["obrien-fleming", "pocock"]),
    )
    .option("--json", "print the plan as JSON")
    .addHelpText("after", examples)
    .action(async (flags: PowerFlags) => {
      const question = await questionOf(flags);
      const { powerReport } = await import("../analysis/analysis.ts");
      const { renderPower } = await import("../report/report.ts");
      const report = powerReport(question);
      process.stdout.write(flags.json ? `${JSON.stringify(report, null, 2)}\n` : renderPower(report));
    });
}

async function questionOf(flags: PowerFlags): Promise<PowerQuestion> {
  checkUse(flags);
  const log = flags.experiment === undefined ? undefined : await fromLog(flags, flags.experiment);
  const weights = flags.weights ?? (flags.arms ? equal(flags.arms) : (log?.weights ?? equal(2)));
  const unitsByDay = flags.unitsPerDay ?? log?.unitsByDay ?? [];
  const isOtherSplit = flags.weights !== undefined || flags.arms !== undefined;
  return {
    baseline: log?.baseline ?? baselineOf(flags),
    effect: flags.effect ?? wantedEffect(flags, log?.minimumEffect),
    effectMultiplies: flags.effectMultiplies ?? false,
    units: flags.days === undefined ? flags.units : unitsIn(flags.days, unitsByDay),
    margin: flags.margin,
    weights,
    goal: flags.goal ?? log?.goal ?? "increase",
    alpha: flags.alpha,
    power: flags.power,
    comparisons: flags.comparisons ?? (isOtherSplit ? undefined : log?.comparisons) ?? weights.length - 1,
    varianceReduction: flags.varianceReduction ?? log?.varianceReduction ?? 0,
    triggerRate: flags.triggerRate === "log" ? (log?.triggerRate ?? 1) : flags.triggerRate,
    analysed: flags.analysed,
    monitoring: monitoringOf(flags),
    unitsByDay,
  };
}

const nothingAsked =
  "expected --effect (how many units?), --units or --days (what can be found?), or both (how sure?)";

/** Where nothing else is asked, what the metric is declared to be worth finding. */
function wantedEffect({ units, days }: PowerFlags, minimumEffect: number | undefined): Amount | undefined {
  if ((units ?? days) !== undefined) return undefined;
  if (minimumEffect === undefined) throw new UsageError(`${nothingAsked}; the metric has no minimumEffect`);
  return { size: minimumEffect, relative: true };
}

/** What a parser of one flag cannot see. */
function checkUse(flags: PowerFlags): void {
  const given = kinds.filter((kind) => flags[kind] !== undefined);
  const { experiment, metric, effect, units, days } = flags;
  if (given.length + Number(experiment !== undefined) !== 1) {
    throw new UsageError(
      "expected one baseline: --mean, --proportion, --ratio, --quantile, or --experiment with --metric",
    );
  }
  if ((experiment === undefined) !== (metric === undefined)) {
    throw new UsageError("--experiment and --metric go together");
  }
  if (experiment === undefined && flags.dataDir !== undefined) {
    throw new UsageError("--data-dir goes with --experiment");
  }
  checkSpread(flags, given[0]);
  const mayHaveOwn = experiment !== undefined && flags.margin === undefined;
  if (effect === undefined && units === undefined && days === undefined && !mayHaveOwn) {
    throw new UsageError(nothingAsked);
  }
  if (experiment === undefined && flags.triggerRate === "log") {
    throw new UsageError("--trigger-rate log goes with --experiment");
  }
  if (units !== undefined && days !== undefined) throw new UsageError("expected --units or --days, not both");
  if (flags.arms !== undefined && flags.weights !== undefined) {
    throw new UsageError("expected --arms or --weights, not both");
  }
  if (flags.arms === 1) throw new UsageError("--arms: expected at least 2, control among them");
  if (flags.effectMultiplies && flags.proportion !== undefined) {
    throw new UsageError("--effect-multiplies: a proportion's spread follows from its value as it is");
  }
  if (flags.power <= flags.alpha) throw new UsageError("--power: expected more than --alpha");
  if (flags.monitoring !== "group-sequential" && (flags.looks ?? flags.spending) !== undefined) {
    throw new UsageError("--looks and --spending go with --monitoring group-sequential");
  }
  if (flags.margin !== undefined && flags.alpha >= 0.5) {
    throw new UsageError("--alpha: expected below 0.5 for the one side of a margin");
  }
}

function checkSpread(flags: PowerFlags, kind: (typeof kinds)[number] | undefined): void {
  const { sd, standardError, ofUnits } = flags;
  const needs = kind !== undefined && kind !== "proportion";
  const hasOne = (sd === undefined) !== (standardError === undefined);
  if (needs && !hasOne) {
    throw new UsageError(`--${kind} needs its spread: --sd, or --standard-error with --of-units`);
  }
  if (!needs && (sd ?? standardError) !== undefined) {
    throw new UsageError("--sd and --standard-error go with --mean, --ratio or --quantile");
  }
  if ((standardError === undefined) !== (ofUnits === undefined)) {
    throw new UsageError("--standard-error and --of-units go together");
  }
}

function baselineOf(flags: PowerFlags): PowerBaseline {
  const { proportion, sd, standardError = 0, ofUnits = 0 } = flags;
  if (proportion !== undefined) {
    const unitSpread = Math.sqrt(proportion * (1 - proportion));
    return { kind: "proportion", value: proportion, unitSpread, from: null };
  }
  const kind = kinds.find((one) => flags[one] !== undefined) ?? "mean";
  const unitSpread = sd ?? standardError * Math.sqrt(ofUnits);
  return { kind, value: flags[kind] ?? 0, unitSpread, from: null };
}

async function fromLog(flags: PowerFlags, experiment: string) {
  const { planFromLog } = await import("../app/plan-from-log.ts");
  const { dataDir, experimentStore } = loadConfig({
    flags: { dataDir: flags.dataDir },
    env: process.env,
    cwd: process.cwd(),
  });
  const bar = segmentBar("reading the log", process.stderr, "steps");
  return planFromLog({
    dataDir,
    experimentStore,
    experiment,
    metric: flags.metric ?? "",
    alpha: flags.alpha,
    triggered: flags.triggerRate === "log" ? flags.analysed : undefined,
    onProgress: bar.update,
  }).finally(bar.stop);
}

function monitoringOf({ monitoring, looks = 5, spending = "obrien-fleming" }: PowerFlags): Monitoring {
  return monitoring === "group-sequential" ? { kind: monitoring, looks, spending } : { kind: monitoring };
}

function equal(arms: number): number[] {
  return new Array<number>(arms).fill(1);
}

function unitsIn(days: number, unitsByDay: readonly number[]): number {
  const last = unitsByDay.at(-1);
  if (last === undefined) throw new UsageError("--days needs --units-per-day, or a log with units in it");
  const listed = unitsByDay.slice(0, days).reduce((sum, units) => sum + units, 0);
  return Math.floor(listed + Math.max(0, days - unitsByDay.length) * last);
}

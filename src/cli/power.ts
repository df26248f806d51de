import { Command, Option } from "commander";
import { positiveInteger, positiveNumber, wholeNumberTo } from "./argument.ts";
import { questionOf } from "./power-asked.ts";
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
import type { PowerFlags } from "./power-use.ts";

const armsMax = 100;
/** Looks that are planned one by one; whoever looks more often plans with always-valid. */
const looksMax = 50;

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
      new Option(
        "--monitoring <KIND>",
        "when one looks (default: as the experiment's plan says, or fixed)",
      ).choices(["fixed", "always-valid", "group-sequential"]),
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
      const { powerReport } = await import("../planning/planning.ts");
      const { renderPower } = await import("../report/report.ts");
      const report = powerReport(question);
      process.stdout.write(flags.json ? `${JSON.stringify(report, null, 2)}\n` : renderPower(report));
    });
}

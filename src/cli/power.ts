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
    .option("--mean <value>", "the baseline: a unit's mean, with --sd or --standard-error", finiteNumber)
    .option("--proportion <share>", "the baseline: the share of units", properShare)
    .option("--ratio <value>", "the baseline: a ratio of sums, with its spread as above", finiteNumber)
    .option(
      "--quantile <value>",
      "the baseline: a quantile of events, with its spread as above",
      finiteNumber,
    )
    .option(
      "--sd <value>",
      "the standard deviation of one unit (of its influence: SE * sqrt(units))",
      positiveNumber,
    )
    .option(
      "--standard-error <value>",
      "instead of --sd: that of an estimate, with --of-units",
      positiveNumber,
    )
    .option("--of-units <n>", "the units of the estimate", positiveInteger)
    .option("--experiment <id>", "instead: the baseline from an experiment's control arm in the log")
    .option("--metric <id>", "the metric of that experiment")
    .option("--data-dir <folder>", "the log's data directory; a server may be using it (default: ./data)")
    .option(
      "--effect <amount>",
      "how much better treated is (below 0: worse, with --margin); default: the metric's minimumEffect",
      amountFlag,
    )
    .option(
      "--effect-multiplies",
      "the effect multiplies every value, so that treated's spread grows with it",
    )
    .option("--units <n>", "units of the whole experiment", positiveInteger)
    .option("--days <n>", "instead of --units: as many as come in so many days", positiveInteger)
    .option(
      "--units-per-day <n,…>",
      "new units of each day, the last repeating (default: the log's)",
      unitsByDayFlag,
    )
    .option(
      "--margin <amount>",
      "non-inferiority: to show that treated is not worse by this much",
      marginFlag,
    )
    .addOption(
      new Option("--goal <goal>", "which way is better (default: increase)").choices([
        "increase",
        "decrease",
      ]),
    )
    .option("--alpha <share>", "two-sided, one-sided with --margin; of all comparisons", properShare, 0.05)
    .option("--power <share>", "the probability to find the effect", properShare, 0.8)
    .option("--arms <n>", "equal arms, control among them (default: 2)", wholeNumberTo(armsMax))
    .option("--weights <n,n,…>", "instead of --arms: the arms' weights, control first", weightsFlag)
    .option(
      "--comparisons <n>",
      "primary metrics times treated arms, sharing alpha (default: treated arms)",
      positiveInteger,
    )
    .option("--variance-reduction <share>", "what CUPED takes away: rho squared (default: 0)", partialShare)
    .option(
      "--trigger-rate <share>",
      "units that the change can touch; log: as its counterfactuals have it",
      triggerRateFlag,
      1,
    )
    .addOption(
      new Option("--analysed <who>", "whom the analysis counts; the baseline is of these")
        .choices(["triggered", "everybody"])
        .default("triggered"),
    )
    .addOption(
      new Option("--monitoring <kind>", "how often one looks")
        .choices(["fixed", "always-valid", "group-sequential"])
        .default("fixed"),
    )
    .option("--looks <n>", "group-sequential: equally spaced looks (default: 5)", wholeNumberTo(looksMax))
    .addOption(
      new Option("--spending <kind>", "group-sequential (default: obrien-fleming)").choices([
        "obrien-fleming",
        "pocock",
      ]),
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

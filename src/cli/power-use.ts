/** The flags of `setlist power`, and which of them go together. */

import { UsageError } from "../domain/error.ts";
import type { Amount, Monitoring } from "../planning/planning.ts";

export interface PowerFlags {
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
  readonly monitoring?: Monitoring["kind"];
  readonly looks?: number;
  readonly spending?: "obrien-fleming" | "pocock";
  readonly json?: boolean;
}

export const kinds = ["mean", "proportion", "ratio", "quantile"] as const;

export const nothingAsked =
  "expected --effect (how many units?), --units or --days (what can be found?), or both (how sure?)";

/** What a parser of one flag cannot see. */
export function checkUse(flags: PowerFlags): void {
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

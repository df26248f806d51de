/** From the flags of `setlist power`, and the log where it is named, to the question. */
import { loadConfig } from "../config.ts";
import { UsageError } from "../domain/error.ts";
import type { Amount, Monitoring, PowerBaseline, PowerQuestion } from "../planning/planning.ts";
import { checkUse, kinds, nothingAsked, type PowerFlags } from "./power-use.ts";
import { segmentBar } from "./segment-bar.ts";

export async function questionOf(flags: PowerFlags): Promise<PowerQuestion> {
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
    monitoring: monitoringOf(flags) ?? log?.monitoring ?? { kind: "fixed" },
    unitsByDay,
  };
}

/** Where nothing else is asked, what the metric is declared to be worth finding. */
function wantedEffect({ units, days }: PowerFlags, minimumEffect: number | undefined): Amount | undefined {
  if ((units ?? days) !== undefined) return undefined;
  if (minimumEffect === undefined) throw new UsageError(`${nothingAsked}; the metric has no minimumEffect`);
  return { size: minimumEffect, relative: true };
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
  const { planFromLog } = await import("../app/data/plan-from-log.ts");
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

function monitoringOf(flags: PowerFlags): Monitoring | undefined {
  const { monitoring: kind, looks = 5, spending = "obrien-fleming" } = flags;
  if (kind !== "group-sequential") return kind && { kind };
  return { kind, looks: Array.from({ length: looks }, (_, look) => (look + 1) / looks), spending };
}

function equal(arms: number): number[] {
  return new Array<number>(arms).fill(1);
}

function unitsIn(days: number, unitsByDay: readonly number[]): number {
  const last = unitsByDay.at(-1);
  if (last === undefined) throw new UsageError("--days needs --units-per-day, or a log that has a whole day");
  const listed = unitsByDay.slice(0, days).reduce((sum, units) => sum + units, 0);
  return Math.floor(listed + Math.max(0, days - unitsByDay.length) * last);
}

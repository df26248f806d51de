import Table from "cli-table3";
import { amount, count, counted, percent, plainPercent, probability, signed } from "../domain/number-text.ts";
import type { PowerReport } from "../planning/planning.ts";

/** The plan as a person reads it: the answer, what it rests on, and what more or fewer units would bring. */
export function renderPower(report: PowerReport): string {
  const { answer, warnings } = report;
  const lines = [
    sentenceOf(report),
    "",
    `Baseline   ${baselineOf(report)}`,
    `Effect     ${effectOf(answer.effect)}`,
    `Units      ${count(answer.units)}: ${count(answer.control)} in control, ${count(answer.treated)} in ${
      report.plan.shares.length > 2 ? "the smallest treated arm" : "treated"
    }; ${count(answer.analysed)} of these analysed`,
    ...planLines(report),
    "",
    curveOf(report),
    ...warnings.map((warning) => `! ${warning}`),
  ];
  return `${lines.join("\n")}\n`;
}

function sentenceOf({ asked, answer, plan }: PowerReport): string {
  const time = answer.days === null ? "" : `, ${counted(answer.days, "day")}`;
  const units = `${counted(answer.units, "unit")}${time}`;
  const effect = effectOf(answer.effect);
  const sure = `${plainPercent(answer.power)} power`;
  const aim =
    plan.margin === null
      ? `to find ${effect}`
      : `to show that treated is not worse by ${amount(plan.margin)}, its true effect being ${effect}`;
  if (asked === "sample-size") return `${units}, ${aim}, with ${sure}.`;
  if (asked === "power") return `${sure} ${aim}, with ${units}.`;
  return plan.margin === null
    ? `With ${units} the smallest effect that is found is ${effect}, with ${sure}.`
    : `With ${units} treated is shown to be not worse by ${amount(plan.margin)} where its true effect is ${effect}, with ${sure}.`;
}

function effectOf({ absolute, relative }: PowerReport["answer"]["effect"]): string {
  return relative === null ? signed(absolute) : `${percent(relative)} (${signed(absolute)})`;
}

function baselineOf({ baseline }: PowerReport): string {
  const { kind, value, unitSpread, from } = baseline;
  const source =
    from === null ? "" : `, from ${from.experiment}/${from.metric}, ${counted(from.units, "unit")}`;
  const shown = kind === "proportion" ? `${amount(100 * value)} %` : amount(value);
  return `${kind} ${shown}, standard deviation of a unit ${amount(unitSpread)}${source}`;
}

function planLines({ plan }: PowerReport): string[] {
  const sides = plan.margin === null ? "two-sided" : "one-sided";
  const shared =
    plan.comparisons > 1
      ? `, ${probability(plan.alphaPerComparison)} for each of ${counted(plan.comparisons, "comparison")} (Bonferroni)`
      : "";
  const shares = plan.shares.map((share) => plainPercent(share)).join(", ");
  const lines = [`Plan       alpha ${plan.alpha} ${sides}${shared}; arms ${shares}`];
  if (plan.margin !== null) lines.push(`           not worse than control by ${amount(plan.margin)}`);
  if (plan.effectMultiplies) {
    lines.push("           the effect multiplies every value: treated's spread grows with it");
  }
  if (plan.varianceReduction > 0) {
    lines.push(`           CUPED takes away ${plainPercent(plan.varianceReduction)} of the variance`);
  }
  if (plan.triggerRate < 1) {
    lines.push(
      `           ${plainPercent(plan.triggerRate)} of the units triggered; ${
        plan.analysed === "triggered" ? "only they are" : "everybody is"
      } analysed, the effect is that on them`,
    );
  }
  return [...lines, `Looks      ${looksOf(plan)}`];
}

function looksOf({ monitoring, margin }: PowerReport["plan"]): string {
  if (monitoring.kind === "group-sequential") {
    const bounds = monitoring.bounds.map((bound) => bound.toFixed(2)).join(", ");
    const statistic = margin === null ? "|effect / SE|" : "(effect + margin) / SE, better being above 0,";
    return (
      `${monitoring.bounds.length}, ${monitoring.spending} spending: stop where ${statistic} is above ${bounds}; ` +
      `at most ${monitoring.inflation.toFixed(2)} times the units of one look`
    );
  }
  return monitoring.kind === "fixed"
    ? "one, at the planned end"
    : "as many as you like (always-valid, tuned for the planned end)";
}

const barWidth = 24;

function curveOf({ curve, answer, plan }: PowerReport): string {
  const hasDays = curve.some((at) => at.days !== null);
  const table = new Table({
    head: [
      "units",
      ...(hasDays ? ["days"] : []),
      `power for ${signed(answer.effect.absolute)}`,
      "",
      `${plan.margin === null ? "detectable" : "margin shown"} with ${plainPercent(plan.power)}`,
    ],
    colAligns: ["right", ...(hasDays ? ["right" as const] : []), "left", "right", "right"],
    style: { head: [], border: [], compact: true },
  });
  for (const at of curve) {
    table.push([
      `${at.units === answer.units ? "▸ " : ""}${count(at.units)}`,
      ...(hasDays ? [at.days === null ? "–" : count(at.days)] : []),
      barOf(at.power ?? 0),
      at.power === null ? "–" : plainPercent(at.power),
      leastOf(at),
    ]);
  }
  return table.toString();
}

function leastOf({ detectable, provableMargin }: PowerReport["curve"][number]): string {
  return detectable === null ? amount(provableMargin) : signed(detectable);
}

const eighths = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];

/** A share as a bar, to an eighth of a character. */
function barOf(share: number): string {
  const filled = Math.round(share * barWidth * 8);
  return `${"█".repeat(Math.floor(filled / 8))}${eighths[filled % 8]}`.padEnd(barWidth, "·");
}

/** What a terminal's report begins with: the verdict, whether it may be believed, and the plan. */
import type { AnalysisReport, HealthCheck } from "../analysis/analysis.ts";
import { count, counted, plainPercent, probability, shortened } from "../domain/number-text.ts";
import { verdictWords } from "./verdict-words.ts";

/** As many as are read; the table has the others. */
const reasonsMax = 8;
const armsMax = 4;
const armMax = 24;

export function headLines(report: AnalysisReport): string[] {
  const { sentence, reasons } = verdictWords(report);
  const more = reasons.length - reasonsMax;
  return [
    ...titled("Verdict", sentence),
    ...reasons.slice(0, reasonsMax).flatMap((reason) => titled("", reason)),
    ...(more > 0 ? [`         … and ${more} more, in the table below.`] : []),
    ...(report.interleaving === undefined ? [splitLine(report)] : []),
    ...checkLines(report, reasons),
    planLine(report),
  ];
}

/** Behind its title, wrapped as a terminal of 120 columns would do it, but with an indent; a word that is longer stands alone. */
function titled(title: string, sentence: string): string[] {
  const lines: string[] = [];
  let line = title.padEnd(indent);
  for (const word of sentence.split(" ")) {
    const longer = line.length === indent ? `${line}${word}` : `${line} ${word}`;
    if ([...longer].length <= columns || line.length === indent) {
      line = longer;
      continue;
    }
    lines.push(line);
    line = `${" ".repeat(indent)}${word}`;
  }
  return [...lines, line];
}

const indent = 9;
const columns = 118;

/** Whether the split is what was promised: without that nothing else can be trusted. Of many arms, those furthest off. */
function splitLine({ arms, srm }: AnalysisReport): string {
  const total = arms.reduce((sum, arm) => sum + arm.units, 0);
  const shares = arms.map(({ arm, units }, i) => {
    const [share, expected] = [total === 0 ? 0 : units / total, srm.expected[i] ?? 0];
    const of = total === 0 ? "" : ` = ${plainPercent(share)}`;
    const words = `${shortened(arm, armMax)} ${count(units)}${of} (expected ${plainPercent(expected)})`;
    return { words, off: Math.abs(share - expected) };
  });
  const state = srm.ok ? "ok" : "SAMPLE RATIO MISMATCH";
  const tested = srm.pValue === null ? "not testable yet" : `${state}, p ${probability(srm.pValue)}`;
  if (arms.length <= armsMax)
    return `Health   split ${tested}: ${shares.map(({ words }) => words).join(", ")}`;
  const [first] = shares.sort((a, b) => b.off - a.off);
  return `Health   split ${tested}: ${arms.length} arms, furthest off ${first?.words}`;
}

/** How many checks passed, and each that did not, but for those that the verdict has told of. */
function checkLines({ health, interleaving }: AnalysisReport, reasons: readonly string[]): string[] {
  const { checks } = health;
  const failed = checks.filter(({ ok }) => ok === false);
  const untested = checks.filter(({ ok }) => ok === null).length;
  const passed = `${checks.length - failed.length - untested} of ${checks.length} checks passed`;
  const rest = [
    ...(failed.length === 0 ? [] : [`${failed.length} failed`]),
    ...(untested === 0 ? [] : [`${untested} not testable`]),
  ];
  const isTold = ({ name }: HealthCheck) => reasons.some((reason) => reason.startsWith(`${name}: `));
  return [
    `${interleaving === undefined ? "         " : "Health   "}${[passed, ...rest].join(", ")}`,
    ...failed
      .filter((check) => !isTold(check))
      .map((check) => `         ✘ ${check.name}: ${findingOf(check)}${pOf(check)}`),
  ];
}

function findingOf({ detail, likelyCause }: HealthCheck): string {
  return likelyCause === null ? detail : `${detail}; likely cause: ${likelyCause}`;
}

function pOf({ pValue }: HealthCheck): string {
  return pValue === null ? "" : ` (p ${probability(pValue)})`;
}

function planLine({ plan }: AnalysisReport): string {
  const name = {
    fixed: "one look at the planned end",
    "always-valid": "always valid",
    "group-sequential": "group-sequential",
  }[plan.kind];
  const of = plan.plannedUnits === null ? "" : `${count(plan.units)} of `;
  const end = plan.plannedEnd === null ? "" : `, until ${plan.plannedEnd.slice(0, 10)}`;
  return `Plan     ${name}: ${of}${counted(plan.plannedUnits ?? plan.units, "unit")}${end}${plan.ended ? ", ended" : ""}`;
}

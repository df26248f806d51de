/** What was asked beside the arms' means, for a terminal: one block each. */
import Table from "cli-table3";
import { count, plainPercent, probability, signed } from "./format.ts";
import type { AnalysisReport } from "./report.ts";
import type { InterleavingReport } from "./report-interleaving.ts";

export function designLines(report: AnalysisReport): string[][] {
  return [...(report.interleaving === undefined ? [] : [interleavingLines(report.interleaving)])];
}

function interleavingLines(report: InterleavingReport): string[] {
  const { arm, versus } = report;
  const table = plainTable([
    "metric",
    `prefer ${arm}`,
    `prefer ${versus}`,
    "ties",
    "p (sign)",
    "preference",
    "interval",
    "always valid: share, p",
  ]);
  for (const { metric, wins, losses, ties, sign, preference, alwaysValid } of report.metrics) {
    table.push([
      metric,
      count(wins),
      count(losses),
      count(ties),
      sign === null ? "" : probability(sign.pValue),
      preference === null ? "" : signed(preference.estimate),
      preference === null ? "" : `${signed(preference.ciLow)} to ${signed(preference.ciHigh)}`,
      alwaysValid === null
        ? ""
        : `${plainPercent(alwaysValid.sign.low)} to ${plainPercent(alwaysValid.sign.high)}, ${probability(alwaysValid.sign.pValue)}`,
    ]);
  }
  const share = report.competitiveShare === null ? "" : ` (${plainPercent(report.competitiveShare)})`;
  return [
    `Interleaved: ${count(report.units)} units, ${count(report.lists)} lists, ${count(report.competitiveSlots)} of ` +
      `${count(report.slots)} places competitive${share}`,
    table.toString(),
  ];
}

function plainTable(head: string[]): Table.Table {
  return new Table({
    head,
    colAligns: head.map((_, i) => (i === 0 ? "left" : "right")),
    style: { head: [], border: [], compact: true },
  });
}

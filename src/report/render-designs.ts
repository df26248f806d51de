/** What was asked beside the arms' means, for a terminal: one block each. */
import Table from "cli-table3";
import type { AnalysisReport, InterleavingReport } from "../analysis/analysis.ts";
import type {
  CalibrationReport,
  NoveltyReport,
  PolicyReport,
  SegmentsReport,
  TriggerComparison,
} from "../designs/designs.ts";
import {
  amount,
  count,
  counted,
  plainPercent,
  probability,
  shortened,
  signed,
} from "../domain/number-text.ts";
import type { Interval } from "../statistics/statistics.ts";

export function designLines(report: AnalysisReport): string[][] {
  const { interleaving, segments = [], novelty = [], trigger, offPolicy, calibration } = report;
  return [
    ...(interleaving === undefined ? [] : [interleavingLines(interleaving)]),
    ...segments.map(segmentLines),
    ...novelty.map(noveltyLines),
    ...(trigger?.comparisons ?? []).map(triggerLines),
    ...(offPolicy?.policies ?? []).map(policyLines),
    ...(calibration === undefined ? [] : [calibrationLines(calibration)]),
  ];
}

function segmentLines({ metric, arm, attribute, interaction, levels }: SegmentsReport): string[] {
  const table = plainTable([named(attribute), "units", "difference", "interval", "against the others, p"]);
  for (const { level, units, absolute, contrast } of levels) {
    table.push([
      level === null ? "(not logged)" : named(level),
      count(units),
      ...estimateCells(absolute),
      contrast === null ? "" : `${signed(contrast.estimate)}, ${probability(contrast.pValueAdjusted)}`,
    ]);
  }
  const test =
    interaction === null
      ? "not tested"
      : `the same in all? p ${probability(interaction.pValue)}, adjusted ${probability(interaction.pValueAdjusted)}`;
  return [`${named(metric)} of ${named(arm)} by ${named(attribute)}: ${test}`, table.toString()];
}

function noveltyLines({ metric, arm, units, days, trend }: NoveltyReport): string[] {
  const table = plainTable(["days since first exposure", "difference", "interval"]);
  for (const one of days) table.push([String(one.day), ...estimateCells(one)]);
  const change = trend === null ? "" : `: ${signed(trend.estimate)} a day, p ${probability(trend.pValue)}`;
  return [`${named(metric)} of ${named(arm)} by day, ${counted(units, "unit")}${change}`, table.toString()];
}

function triggerLines({ arm, versus, requests, units, srm, metrics }: TriggerComparison): string[] {
  const table = plainTable(["metric", "triggered", "interval", "p", "over all compared", "interval"]);
  for (const { metric, triggered, diluted } of metrics) {
    table.push([
      named(metric),
      ...estimateCells(triggered?.absolute ?? null),
      triggered === null ? "" : probability(triggered.pValue),
      ...estimateCells(diluted?.absolute ?? null),
    ]);
  }
  const triggered = units.map(
    (one) => `${named(one.arm)} ${count(one.triggered)} of ${counted(one.compared, "unit")}`,
  );
  return [
    `${named(arm)} against ${named(versus)} where their lists differ: ${count(requests.differing)} of ${count(requests.compared)} ` +
      `compared requests, ${triggered.join(", ")}${srm.ok ? "" : ", SRM: do not read it"}`,
    table.toString(),
  ];
}

function policyLines(report: PolicyReport): string[] {
  const table = plainTable([
    "metric, a request",
    "IPS",
    "interval",
    "SNIPS",
    "interval",
    "doubly robust",
    "interval",
  ]);
  for (const { metric, ips, snips, doublyRobust } of report.metrics) {
    table.push([named(metric), ...valueCells(ips), ...valueCells(snips), ...valueCells(doublyRobust)]);
  }
  const weights = Object.entries(report.weights).map(
    ([arm, weight]) => `${named(arm)} ${plainPercent(weight)}`,
  );
  return [
    `With ${weights.join(", ")}: ${counted(report.requests, "request")} of ${counted(report.units, "unit")}, as good as ` +
      `${counted(Math.round(report.effectiveRequests), "request")} of ${counted(Math.round(report.effectiveUnits), "unit")}`,
    table.toString(),
  ];
}

function calibrationLines(report: CalibrationReport): string[] {
  const most = Math.max(1, ...report.histogram);
  const bars = report.histogram.map((one) => blocks[Math.round((one / most) * (blocks.length - 1))] ?? "");
  const verdict =
    report.ok === null
      ? "not judged"
      : report.ok
        ? "uniform, as they should be"
        : "not uniform: do not trust the p-values";
  const p = report.uniformity === null ? "" : `, p ${probability(report.uniformity.pValue)}`;
  return [
    `Calibration: p-values of ${counted(report.units, "unit")} under ${counted(report.salts, "salt")} are ${verdict}${p}`,
    `  0 ${bars.join("")} 1`,
    ...report.metrics.map(
      ({ metric, arm, falsePositives }) =>
        `  ${named(metric)}, ${named(arm)}: ${falsePositives === null ? "no p-value" : plainPercent(falsePositives)} false positives`,
    ),
  ];
}

const blocks = " ▁▂▃▄▅▆▇█";

function estimateCells(interval: Interval | null): string[] {
  if (interval === null) return ["", ""];
  return [signed(interval.estimate), `${signed(interval.ciLow)} to ${signed(interval.ciHigh)}`];
}

function valueCells(interval: Interval | null): string[] {
  if (interval === null) return ["refused", ""];
  return [amount(interval.estimate), `${amount(interval.ciLow)} to ${amount(interval.ciHigh)}`];
}

function interleavingLines(report: InterleavingReport): string[] {
  const { arm, versus } = report;
  const table = plainTable([
    "metric",
    `prefer ${named(arm)}`,
    `prefer ${named(versus)}`,
    "ties",
    "p (sign)",
    "preference",
    "interval",
    "always valid: share, p",
  ]);
  for (const { metric, wins, losses, ties, sign, preference, alwaysValid } of report.metrics) {
    table.push([
      named(metric),
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
    `Interleaved: ${counted(report.units, "unit")}, ${counted(report.lists, "list")}, ${count(report.competitiveSlots)} of ` +
      `${counted(report.slots, "place")} competitive${share}`,
    table.toString(),
  ];
}

function named(name: string): string {
  return shortened(name, nameMax);
}

const nameMax = 24;

function plainTable(head: string[]): Table.Table {
  return new Table({
    head,
    colAligns: head.map((_, i) => (i === 0 ? "left" : "right")),
    style: { head: [], border: [], compact: true },
  });
}

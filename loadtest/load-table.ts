import Table from "cli-table3";
import type { LoadReport } from "./load-run.ts";

/** The runs as a person reads them: times in ms, rates a second. */
export function formatLoadTable(reports: readonly LoadReport[]): string {
  const table = new Table({
    head: ["offered/s", "achieved/s", "p50", "p90", "p99", "p99.9", "max", "errors", "degraded", "lag p99"],
    colAligns: Array.from({ length: 10 }, () => "right" as const),
    style: { head: [], border: [], compact: true },
  });
  for (const report of reports) {
    const { p50, p90, p99, p99_9, max } = report.latencyMs;
    table.push([
      report.offeredRate.toFixed(0),
      report.achievedRate.toFixed(0),
      ...[p50, p90, p99, p99_9, max].map((ms) => ms.toFixed(2)),
      formatErrors(report.errors),
      String(report.degraded),
      report.generatorLagMs.p99.toFixed(2),
    ]);
  }
  return `${table.toString()}\n`;
}

export function formatErrors(errors: Readonly<Record<string, number>>): string {
  const entries = Object.entries(errors);
  return entries.length === 0 ? "0" : entries.map(([code, count]) => `${count} x ${code}`).join(", ");
}

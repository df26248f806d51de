import { counted } from "../domain/number-text.ts";
import type { SimulationSummary } from "../simulation/simulation.ts";

/** The summary as a person reads it. */
export function formatSummary(summary: SimulationSummary): string {
  const { requests, seconds, requestsOfSurface, shown, sent, latencyMs } = summary;
  const ms = (value: number) => `${value.toFixed(1)} ms`;
  const rows: [string, string][] = [
    [
      "requests",
      `${requests} in ${seconds.toFixed(1)} s, ${(requests / seconds).toFixed(0)} a second (home ${requestsOfSurface.home}, radio ${requestsOfSurface.radio})`,
    ],
    ["shown", counted(shown, "item")],
    ["outcomes", counts(summary.outcomes)],
    ["acknowledged", acknowledged(sent)],
    [
      "latency",
      `p50 ${ms(latencyMs.p50)}, p90 ${ms(latencyMs.p90)}, p99 ${ms(latencyMs.p99)}, max ${ms(latencyMs.max)}`,
    ],
    ["degraded", counts(summary.degraded)],
    ["failed", `${counted(summary.failedRequests, "request")}; faults seen: ${counts(summary.errors)}`],
    ["run", `${summary.run} (seed ${summary.seed})`],
  ];
  return `${rows.map(([name, text]) => `${name.padEnd(13)} ${text}`).join("\n")}\n`;
}

function acknowledged({ accepted, duplicates, rejected, lost, batches }: SimulationSummary["sent"]): string {
  return `${accepted} in ${counted(batches, "batch", "batches")}, ${duplicates} known already, ${rejected} rejected, ${lost} never`;
}

function counts(of: Readonly<Record<string, number>>): string {
  const entries = Object.entries(of).toSorted(([, a], [, b]) => b - a);
  return entries.length === 0 ? "none" : entries.map(([name, count]) => `${name} ${count}`).join(", ");
}

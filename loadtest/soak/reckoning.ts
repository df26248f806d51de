import type { MetricLine } from "./metrics-text.ts";

/** One count of the load's own beside the server's metric for it. */
export interface ReckoningRow {
  readonly what: string;
  readonly ours: number;
  readonly servers: number;
}

interface Counter {
  readonly metric: string;
  /** The ledger's name for a line of it; undefined for what the ledger does not keep. */
  readonly nameOf: (labels: Readonly<Record<string, string>>) => string | undefined;
}

const counters: readonly Counter[] = [
  {
    metric: "setlist_requests_total",
    nameOf: ({ transport, route, code }) => `request ${transport} ${route} ${code}`,
  },
  {
    metric: "setlist_rank_total",
    nameOf: ({ surface, model, version }) => `rank ${surface} ${model} ${version}`,
  },
  { metric: "setlist_rank_degraded_total", nameOf: ({ reason }) => `degraded ${reason}` },
  { metric: "setlist_assignments_total", nameOf: ({ experiment, arm }) => `assigned ${experiment} ${arm}` },
  { metric: "setlist_outcomes_total", nameOf: ({ result }) => `outcomes ${result}` },
  { metric: "setlist_model_changes_total", nameOf: ({ model, what }) => `model ${model} ${what}` },
  { metric: "setlist_ramp_steps_total", nameOf: ({ experiment }) => `ramp ${experiment}` },
  { metric: "setlist_guardrail_breaches_total", nameOf: ({ experiment }) => `breach ${experiment}` },
  { metric: "setlist_experiment_revisions", nameOf: () => "revisions" },
  { metric: "setlist_compaction_segments_total", nameOf: () => "segments compacted" },
];

/** Every count that either knows; what one does not know is 0 there. */
export function reckon(
  ledger: ReadonlyMap<string, number>,
  metrics: readonly MetricLine[],
): readonly ReckoningRow[] {
  const servers = new Map<string, number>();
  for (const { metric, nameOf } of counters) {
    for (const { name, labels, value } of metrics) {
      const what = name === metric ? nameOf(labels) : undefined;
      if (what !== undefined && value !== 0) servers.set(what, (servers.get(what) ?? 0) + value);
    }
  }
  const names = [...new Set([...ledger.keys(), ...servers.keys()])].sort();
  return names
    .map((what) => ({ what, ours: ledger.get(what) ?? 0, servers: servers.get(what) ?? 0 }))
    .filter(({ ours, servers }) => ours > 0 || servers > 0);
}

export function disagreements(rows: readonly ReckoningRow[]): readonly ReckoningRow[] {
  return rows.filter(({ ours, servers }) => ours !== servers);
}

import Table from "cli-table3";
import { median } from "./bench-ratios.ts";
import type { Machine } from "./bench-report.ts";
import type { ClosedLoopResult } from "./closed-loop-client.ts";

/** One size and the smallest, measured within the same seconds. */
export interface CatalogueRound {
  readonly smallest: ClosedLoopResult;
  readonly size: ClosedLoopResult;
}

/** What else was seen of a size. */
export interface CatalogueFacts {
  readonly items: number;
  /** From the start of the process to ready: the import of the world, where it was not imported before. */
  readonly readySeconds: number;
  readonly imported: boolean;
  /** Every item asked for once. */
  readonly warmSeconds: number;
  readonly residentMib: number;
  readonly storeMib: number;
}

export interface CatalogueRow extends CatalogueFacts {
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** The median over the rounds of each round's own ratio. */
  readonly p50VsSmallest: number;
  readonly degraded: number;
  readonly failed: number;
}

export interface CatalogueReport {
  readonly rows: readonly CatalogueRow[];
  /** Sizes that could not be served, and why. */
  readonly unmeasured: readonly { readonly items: number; readonly why: string }[];
  readonly candidates: number;
  readonly limit: number;
  readonly machine: Machine;
  readonly at: string;
}

export function catalogueRowOf(facts: CatalogueFacts, rounds: readonly CatalogueRound[]): CatalogueRow {
  const sizes = rounds.map(({ size }) => size);
  const total = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0);
  return {
    ...facts,
    p50Ms: median(sizes.map(({ p50Ms }) => p50Ms)),
    p99Ms: median(sizes.map(({ p99Ms }) => p99Ms)),
    p50VsSmallest: median(rounds.map(({ smallest, size }) => size.p50Ms / smallest.p50Ms)),
    degraded: total(sizes.map(({ degraded }) => degraded)),
    failed: total(sizes.flatMap(({ errors }) => Object.values(errors))),
  };
}

export function formatCatalogue({ rows, unmeasured, candidates, limit, machine }: CatalogueReport): string {
  const table = new Table({
    head: [
      "items",
      "p50 ms",
      "p99 ms",
      "vs smallest",
      "resident MiB",
      "store MiB",
      "ready s",
      "warm s",
      "bad",
    ],
    colAligns: Array.from({ length: 9 }, () => "right" as const),
    style: { head: [], border: [], compact: true },
  });
  for (const row of rows) {
    table.push([
      row.items.toLocaleString("en-US"),
      row.p50Ms.toFixed(3),
      row.p99Ms.toFixed(3),
      row.p50VsSmallest.toFixed(2),
      row.residentMib.toFixed(0),
      row.storeMib.toFixed(0),
      `${row.readySeconds.toFixed(1)}${row.imported ? " (import)" : ""}`,
      row.warmSeconds.toFixed(1),
      row.failed + row.degraded,
    ]);
  }
  return `${table.toString()}
${unmeasured.map(({ items, why }) => `${items.toLocaleString("en-US")} items could not be measured: ${why}\n`).join("")}\
HTTP, 1 connection, ${candidates} candidates drawn uniformly, ${limit} shown; one model, every item's row warm. The bar is 1.3 times the smallest.
bad: answers that failed or were degraded. ${machine.cpu}, ${machine.threads} hardware threads, Node ${machine.node}.
`;
}

/** The alert rules and the dashboard read metrics that the server has, by labels that they have. */
import { readFileSync } from "node:fs";
import { Registry } from "prom-client";
import { beforeAll, describe, expect, test, vi } from "vitest";
import { parse } from "yaml";
import { createMetrics } from "../../src/telemetry/metrics.ts";
import { SummedMetrics } from "../../src/telemetry/summed-metrics.ts";
import { namedIn, pages } from "../support/document-pages.ts";
import { standingLibrary } from "../support/model-library.ts";
import { type Reads, readsOf } from "../support/promql.ts";

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly annotations: Readonly<Record<string, string>>;
}

interface Panel {
  readonly title: string;
  readonly targets?: readonly { readonly expr: string; readonly legendFormat: string }[];
}

const rules: readonly Rule[] = parse(readFileSync("config/alerts.yaml", "utf8")).groups.flatMap(
  ({ rules }: { rules: Rule[] }) => rules,
);
const dashboard = JSON.parse(readFileSync("config/grafana-dashboard.json", "utf8"));
const panels: readonly Panel[] = dashboard.panels;
const annotations: readonly { readonly name: string; readonly expr: string; readonly titleFormat: string }[] =
  dashboard.annotations.list;

/** As Grafana puts them in. */
const filledIn = (expression: string): string => expression.replaceAll("$__rate_interval", "5m");

const targets = [
  ...panels.flatMap(({ title, targets = [] }) =>
    targets.map(({ expr, legendFormat }) => ({ title, expr: filledIn(expr), legendFormat })),
  ),
  ...annotations.map(({ name, expr, titleFormat }) => ({ title: name, expr, legendFormat: titleFormat })),
];

/** What Prometheus itself adds. */
const added = ["job", "instance", "le"];

/** Labels by metric, histograms' series too. */
const served = new Map<string, readonly string[]>();

beforeAll(() => {
  const registered = vi.spyOn(Registry.prototype, "registerMetric");
  const never = () => {
    throw new Error("nobody reads these metrics");
  };
  const metrics = createMetrics();
  metrics.shipping();
  metrics.guardrails.watch({ healths: never } as never);
  metrics.watchModels({ executions: never } as never, standingLibrary());
  metrics.watchConcurrency({ inFlight: 0, limit: 1 });
  metrics.watchExperiments({ current: never, stale: never } as never, { now: () => 0 });
  metrics.watchCompaction({} as never);
  metrics.watchLog({ trouble: never, dedupeWindowMs: 0 } as never);
  new SummedMetrics(() => ({ serving: 0, standby: 0, starting: 0, ended: 0 }));
  for (const [metric] of registered.mock.calls) {
    const { name, labelNames = [] } = metric as unknown as { name: string; labelNames?: string[] };
    for (const series of [name, `${name}_bucket`, `${name}_sum`, `${name}_count`])
      served.set(series, labelNames);
  }
  registered.mockRestore();
});

function unknownIn({ metrics, grouped }: Reads): string[] {
  const asked = metrics.filter(({ name }) => name !== "up");
  const has = (name: string, label: string): boolean =>
    added.includes(label) || served.get(name)?.includes(label) === true;
  return [
    ...asked.flatMap(({ name, labels }) =>
      served.has(name)
        ? labels.filter((label) => !has(name, label)).map((label) => `${name}{${label}}`)
        : [name],
    ),
    ...grouped.filter((label) => asked.length > 0 && !asked.some(({ name }) => has(name, label))),
  ];
}

test("metrics that the server does not have, and labels that they do not have, are found", () => {
  expect(unknownIn(readsOf('sum by (reazon) (rate(setlist_rank_degraded_total{raeson="x"}[5m]))'))).toEqual([
    "setlist_rank_degraded_total{raeson}",
    "reazon",
  ]);
  expect(unknownIn(readsOf("setlist_rank_degraded > 0"))).toEqual(["setlist_rank_degraded"]);
  expect(() => readsOf("rate(setlist_rank_total[5m]")).toThrow("no PromQL");
});

test("metrics and labels that the documents name are served, by the server or by a labeller", () => {
  // `setlist label --metrics-port` serves these itself.
  const labeller = ["labels_total", "labels_already_total", "label_coverage_ratio", "label_delay_seconds"];
  for (const name of [...labeller, "label_segments_behind"]) served.set(`setlist_${name}`, []);
  // A fleet's tables in PostgreSQL are no metrics.
  const named = namedIn(
    pages,
    /(?<!\^)\b(setlist_(?!schema|revisions)[a-z_]*[a-z])\b(?:\{([a-z,]+)\})?(?![*_])/g,
  );
  expect(named.length).toBeGreaterThan(100);
  const unknown = named.flatMap(({ page, named: [name = "", labels = ""] }) =>
    unknownIn({
      metrics: [{ name, labels: labels.split(",").filter((label) => label !== "") }],
      grouped: [],
    }).map((fault) => `${page}: ${fault}`),
  );
  expect(unknown).toEqual([]);
});

test("docs/metrics.md names the labels of each metric, all and no others", () => {
  const inTicks = (cell: string): string[] =>
    [...cell.matchAll(/`([a-z_]+)`/g)].map(([, name]) => name as string);
  const rows = namedIn(["docs/metrics.md"], /^\| (`setlist_.*?) \| (.*?) ?\|/gm);
  expect(rows.length).toBeGreaterThan(30);
  for (const {
    named: [metrics = "", labels = ""],
  } of rows)
    for (const metric of inTicks(metrics))
      expect([...(served.get(metric) ?? [])].sort(), metric).toEqual(inTicks(labels).sort());
});

test("docs/metrics.md, or the page of the shipper, has each metric", () => {
  const rows = namedIn(["docs/metrics.md", "docs/fleet-log.md"], /^\| (.*?) \|/gm);
  const described = rows.map(({ named: [cell = ""] }) => cell).join(" ");
  const own = [...served.keys()].filter((name) => /^setlist_(?!label).*(?<!_bucket|_sum|_count)$/.test(name));
  expect(own.length).toBeGreaterThan(40);
  // Rows join what belongs together: `setlist_shipping_lag_bytes`, `_lag_records`.
  const missing = own.filter(
    (name) => !described.includes(name) && !described.includes(name.replace("setlist_shipping", "")),
  );
  expect(missing).toEqual([]);
});

describe("alert rules", () => {
  test.each(rules)("$alert reads what the server has", ({ expr }) => {
    const reads = readsOf(expr);
    expect(reads.metrics.length).toBeGreaterThan(0);
    expect(unknownIn(reads)).toEqual([]);
  });

  test.each(rules)("$alert says in words what is the matter and where to look", ({ annotations }) => {
    expect(Object.keys(annotations)).toEqual(["summary", "description"]);
  });

  test("have names of their own", () => {
    expect(new Set(rules.map(({ alert }) => alert)).size).toBe(rules.length);
  });
});

describe("the dashboard", () => {
  test.each(targets)("$title reads what the server has: $expr", ({ expr, legendFormat }) => {
    const reads = readsOf(expr);
    expect(reads.metrics.length).toBeGreaterThan(0);
    expect(unknownIn(reads)).toEqual([]);
    const shown = [...legendFormat.matchAll(/\{\{(\w+)\}\}/g)].map(([, label]) => label as string);
    expect(unknownIn({ ...reads, grouped: shown })).toEqual([]);
  });

  test("panels do not lie on each other", () => {
    const cells = dashboard.panels.flatMap(
      ({ gridPos: { x, y, w, h } }: { gridPos: Record<string, number> }) =>
        Array.from(
          { length: (w as number) * (h as number) },
          (_, i) => `${(x as number) + (i % (w as number))},${(y as number) + Math.floor(i / (w as number))}`,
        ),
    );
    expect(new Set(cells).size).toBe(cells.length);
  });
});

import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import type { AnalysisReport } from "../../src/analysis/analysis.ts";
import { renderPage } from "../../src/report/report.ts";
import { madeInterleaving, madeReport } from "../support/made-reports.ts";
import { oddReport } from "../support/odd-reports.ts";

/** As GitHub makes an anchor of a heading. */
function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, "")
    .replaceAll(" ", "-");
}

async function anchors(): Promise<string[]> {
  const text = await readFile(new URL("../../docs/statistics.md", import.meta.url), "utf8");
  return [...text.matchAll(/^## (.+)$/gm)].map(([, heading = ""]) => anchorOf(heading));
}

/** Of every kind of metric, and with all that an analysis may be asked besides. */
function everything(): AnalysisReport {
  const made = madeReport("healthy");
  const [first, ...others] = made.metrics as [AnalysisReport["metrics"][0]];
  const quantile = { ...first, metric: "latency p95", type: "quantile" as typeof first.type };
  return {
    ...made,
    metrics: [first, ...others, quantile],
    trigger: { comparisons: [] },
    offPolicy: { policies: [] },
  };
}

test.each([
  {
    name: "of a report with everything",
    make: everything,
    some: ["quantiles", "ratios", "self-calibration"],
  },
  { name: "of an interleaving", make: madeInterleaving, some: ["interleaving"] },
])(
  "each method's name $name leads to a section of the statistics page, which the page brings along",
  async ({ make, some }) => {
    const known = await anchors();
    const page = await renderPage(make());
    const links = [...new Set([...page.matchAll(/href="#([^"]+)"/g)].map(([, to = ""]) => to))];
    const brought = [...page.matchAll(/<div id="([^"]+)"/g)].map(([, id = ""]) => id);
    expect(links.length).toBeGreaterThan(0);
    expect(links.filter((link) => !known.includes(link))).toEqual([]);
    expect(links.filter((link) => !brought.includes(link))).toEqual([]);
    expect(brought.filter((id) => !known.includes(id))).toEqual([]);
    expect(brought).toEqual(expect.arrayContaining(some));
  },
);

test("a method that a report does not use is not explained", async () => {
  const page = await renderPage(madeReport("healthy"));
  const brought = [...page.matchAll(/<div id="([^"]+)"/g)].map(([, id = ""]) => id);
  expect(brought).toEqual(expect.arrayContaining(["cuped", "ratios"]));
  expect(brought).not.toEqual(expect.arrayContaining(["quantiles"]));
});

test("too few units are no test that was left out, but one that waits", async () => {
  const made = madeReport("healthy");
  const pageOf = (likelyCause: string | null) =>
    renderPage({
      ...made,
      health: {
        ok: true,
        checks: [
          {
            ...{ id: "enough-units", name: "Enough units", ok: null, pValue: null },
            ...{ detail: "of kd", likelyCause },
          },
        ],
      },
    });
  expect(await pageOf("more units are needed")).toContain(">– not yet</td>");
  expect(await pageOf(null)).toContain(">– not tested</td>");
});

test("of one day the page draws no picture by days, and says why", async () => {
  const page = await renderPage(oddReport("one day"));
  expect(page).toContain("One day has figures so far");
  expect(page).not.toMatch(/aria-label="[^"]*(Cumulative difference|by days since)/);
});

test("units that a verdict waits for are not there yet, and not untested", async () => {
  const made = madeReport("healthy");
  const waits = { ok: null, likelyCause: "more units are needed" };
  const checks = [
    {
      id: "enough-units",
      name: "Enough units",
      pValue: null,
      detail: "completions: 4 of 50 units",
      ...waits,
    },
    {
      id: "covariate-balance",
      name: "Covariate balance",
      pValue: null,
      detail: "",
      ...waits,
      likelyCause: null,
    },
  ];
  const page = await renderPage({ ...made, health: { ...made.health, checks } });
  expect(page).toMatch(/– not yet<\/td>\s*<td class="name">Enough units/);
  expect(page).toMatch(/– not tested<\/td>\s*<td class="name">Covariate balance/);
});

test("no effect's words have the line of zero through them", async () => {
  const page = await renderPage(madeReport("healthy"));
  const from = page.indexOf('aria-label="Lift of each metric');
  const chart = page.slice(from, page.indexOf("</svg>", from));
  const [zero = ""] = /<g stroke="var\(--ink\)" aria-label="rule">.*?<\/g>/s.exec(chart) ?? [];
  const numbers = (within: string, pattern: RegExp): number[][] =>
    [...within.matchAll(pattern)].map(([, ...groups]) => groups.map(Number));
  const zeros = numbers(zero, /<line y2="([\d.]+)" y1="([\d.]+)"/g);
  // Plot moves the words 15 up from their line; letters reach 6 up and down from their middle.
  const middles = numbers(chart, /<text transform="translate\(16,([\d.]+)\)"/g).map(
    ([line = 0]) => line - 15,
  );
  const struck = middles.filter((middle) =>
    zeros.some(([low = 0, high = 0]) => middle + 6 > Math.min(low, high) && middle - 6 < Math.max(low, high)),
  );
  expect([zeros.length, middles.length]).toEqual([3, 3]);
  expect(struck).toEqual([]);
});

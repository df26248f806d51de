import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { median, type Round, ratiosOf } from "../../loadtest/bench-ratios.ts";
import { formatBench, reportOf as reportOfRounds } from "../../loadtest/bench-report.ts";
import { scenarios } from "../../loadtest/bench-scenarios.ts";
import { findHighestRate, runForTail } from "../../loadtest/find-max.ts";
import { createLatencies, curveOf, percentilesOf } from "../../loadtest/latency.ts";
import { drawLatencyPlot } from "../../loadtest/latency-plot.ts";
import { drawLinePlot } from "../../loadtest/line-plot.ts";
import type { LoadReport } from "../../loadtest/load-run.ts";
import { formatLoadTable } from "../../loadtest/load-table.ts";

function reportOf(rate: number, p99: number, achieved = rate, degraded = 0): LoadReport {
  const percentiles = { p50: 1, p90: 2, p95: 3, p99, p99_9: p99 * 2, max: p99 * 3 };
  return {
    target: "test",
    offeredRate: rate,
    achievedRate: achieved,
    goodRate: p99 <= 50 ? achieved : 0,
    timelyRate: achieved,
    scheduled: rate,
    answered: achieved,
    degraded,
    errors: achieved < rate ? { "503": rate - achieved } : {},
    latencyMs: percentiles,
    fromSendingMs: percentiles,
    generatorLagMs: percentiles,
    curve: [[0, 0.5]],
  };
}

describe("percentiles", () => {
  it("are within a thousandth of the sorted values'", () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0.01, max: 60_000, noNaN: true }), { minLength: 1 }),
        (values) => {
          const latencies = createLatencies();
          for (const value of values) latencies.record(value);
          const sorted = values.toSorted((a, b) => a - b);
          const exact = (share: number) => sorted[Math.max(0, Math.ceil(share * values.length) - 1)] ?? 0;
          const { p50, p99, max } = percentilesOf(latencies);
          for (const [found, expected] of [
            [p50, exact(0.5)],
            [p99, exact(0.99)],
            [max, exact(1)],
          ] as const) {
            expect(Math.abs(found - expected)).toBeLessThanOrEqual(0.001 * expected + 0.001);
          }
        },
      ),
    );
  });

  it("take a latency beyond the histogram for its end instead of failing", () => {
    const latencies = createLatencies();
    latencies.record(10_000_000);
    expect(latencies.maxMs).toBeGreaterThan(599_000);
  });

  it("end in a plot where the requests end", () => {
    const latencies = createLatencies();
    for (let i = 0; i < 100; i++) latencies.record(i);
    expect(curveOf(latencies).at(-1)?.[0]).toBe(99);
  });
});

describe("the search for the highest rate", () => {
  const bound = { p99MsMax: 50, achievedMin: 0.99 };

  it("comes within 5 % of the capacity", async () => {
    for (const capacity of [37, 410, 9_000]) {
      const { best } = await findHighestRate(
        async (rate) => reportOf(rate, rate <= capacity ? 10 : 500),
        bound,
        100,
        () => {},
      );
      expect(best?.offeredRate).toBeLessThanOrEqual(capacity);
      expect(best?.offeredRate).toBeGreaterThan(capacity * 0.94);
    }
  });

  it("does not take a rate as sustained whose requests fail", async () => {
    const { best } = await findHighestRate(
      async (rate) => reportOf(rate, 1, rate <= 200 ? rate : rate * 0.5),
      bound,
      100,
      () => {},
    );
    expect(best?.offeredRate).toBeLessThanOrEqual(200);
  });

  it("does not take a rate as sustained whose answers are degraded", async () => {
    const { best } = await findHighestRate(
      async (rate) => reportOf(rate, 1, rate, rate <= 200 ? rate * 0.005 : rate * 0.02),
      bound,
      100,
      () => {},
    );
    expect(best?.offeredRate).toBeLessThanOrEqual(200);
    expect(best?.offeredRate).toBeGreaterThan(188);
  });

  it("gives a rate a second try, so that one bad second decides nothing", async () => {
    let runs = 0;
    const { best, steps } = await findHighestRate(
      async (rate) => reportOf(rate, rate > 400 || ++runs === 1 ? 500 : 10),
      bound,
      100,
      () => {},
    );
    expect(best?.offeredRate).toBeGreaterThan(376);
    expect(steps.map(({ offeredRate }) => offeredRate).slice(0, 2)).toEqual([100, 100]);
  });

  it("says that there is none where nothing is sustained", async () => {
    const { best } = await findHighestRate(
      async (rate) => reportOf(rate, 500),
      bound,
      100,
      () => {},
    );
    expect(best).toBeUndefined();
  });
});

describe("the tail at one rate", () => {
  it("is the middle one of three runs: a stall in one decides nothing", async () => {
    const p99s = [4, 900, 6];
    expect((await runForTail(async () => reportOf(100, p99s.shift() ?? 0))).latencyMs.p99).toBe(6);
  });
});

describe("the bench's ratios", () => {
  const bare = { runsPerSecond: 1_000, candidatesPerSecond: 200_000, medianMs: 1 };
  const result = (id: string) => ({
    requestsPerSecond: id.startsWith("setlist") ? 1_500 : 500,
    candidatesPerSecond: id.includes("Http") ? 300_000 : 240_000,
    p50Ms: 0.8,
    p99Ms: id.startsWith("setlist") ? 12 : 48,
    errors: {},
    degraded: 0,
  });
  const round: Round = {
    bare,
    scenarios: Object.fromEntries(scenarios.map(({ id }) => [id, result(id)])) as Round["scenarios"],
  };

  it("divide Setlist by what it is compared with", () => {
    expect(ratiosOf([round])).toEqual({
      http200ThroughputVsBare: 1.5,
      grpc200ThroughputVsBare: 1.2,
      stream200ThroughputVsBare: 1.2,
      http200MedianVsBare: 0.8,
      http10x16ThroughputVsPlain: 3,
      http200x16ThroughputVsPlain: 3,
      http200x16P99VsPlain: 0.25,
      http200x16ThroughputVsFastapi: 3,
      http200x16P99VsFastapi: 0.25,
    });
  });

  it("say visibly that FastAPI was left out, and why", () => {
    const { fastapiHttp200x1, fastapiHttp200x16, ...others } = round.scenarios;
    const without = { ...round, scenarios: others };
    expect(ratiosOf([without])).toMatchObject({
      http200x16ThroughputVsPlain: 3,
      http200x16ThroughputVsFastapi: null,
      http200x16P99VsFastapi: null,
    });
    const report = formatBench(reportOfRounds([without], 0, ["FastAPI was left out: no environment."]), {
      ratios: { http200x16ThroughputVsFastapi: 9 },
    });
    expect(report).toContain("FastAPI was left out: no environment.");
    expect(report).toMatch(/http200x16ThroughputVsFastapi .*left out │\s+9\.00 │/);
    expect(report).not.toContain("FastAPI, HTTP");
  });

  it("are medians of each round's own ratio: a slow machine slows both sides", () => {
    const slow: Round = {
      bare: { ...bare, candidatesPerSecond: 20_000 },
      scenarios: Object.fromEntries(
        scenarios.map(({ id }) => [id, { ...result(id), candidatesPerSecond: 30_000 }]),
      ) as Round["scenarios"],
    };
    expect(ratiosOf([round, slow, slow]).http200ThroughputVsBare).toBe(1.5);
  });

  it("stand beside the baseline's, also where it was made before a ratio came up", () => {
    const report = formatBench(reportOfRounds([round], 0), { ratios: { grpc200ThroughputVsBare: 0.71 } });
    const lineOf = (name: string) => report.split("\n").find((line) => line.includes(name));
    expect(lineOf("grpc200ThroughputVsBare")).toMatch(/1\.20 │\s+0\.71 │/);
    expect(lineOf("stream200ThroughputVsBare")).toMatch(/1\.20 │\s+│/);
  });

  it("take the middle of the middle two where the count is even", () => {
    expect(median([4, 1, 3, 2])).toBe(2.5);
    expect(median([3, 1, 2])).toBe(2);
  });
});

describe("what is printed and drawn", () => {
  it("names rates, percentiles and errors in a table", () => {
    const table = formatLoadTable([reportOf(100, 12.5, 90)]);
    for (const text of ["offered/s", "12.50", "10 x 503", "90"]) expect(table).toContain(text);
  });

  it("draws one curve a run, named, with every point inside the picture", () => {
    const svg = drawLatencyPlot("A <title>", "sub & title", [
      {
        name: "100/s",
        points: [
          [0, 0.4],
          [50, 1],
          [99, 8],
          [99.9, 40],
        ],
      },
      {
        name: "200/s",
        points: [
          [0, 0],
          [50, 2],
          [99, 90],
        ],
      },
    ]);
    expect(svg).toContain("A &lt;title&gt;");
    expect(svg).toContain("sub &amp; title");
    expect(svg).not.toMatch(/NaN|Infinity|undefined/);
    const curves = [...svg.matchAll(/<g[^>]*aria-label="line"[^>]*><path d="([^"]+)"/g)];
    expect(curves).toHaveLength(2);
    for (const name of ["100/s", "200/s"]) expect(svg).toContain(`>${name}</text>`);
    const places = curves.flatMap(([, path = ""]) => [...path.matchAll(/[ML](-?[\d.]+),(-?[\d.]+)/g)]);
    expect(places).toHaveLength(7);
    expect(
      places.every(([, x, y]) => Number(x) >= 0 && Number(x) <= 760 && Number(y) >= 0 && Number(y) <= 440),
    ).toBe(true);
  });

  it("draws a plot of a single point", () => {
    const svg = drawLinePlot({
      title: "one",
      x: { label: "x", scale: "linear" },
      y: { label: "y", scale: "log" },
      series: [{ name: "one", points: [[1, 1]] }],
    });
    expect(svg).not.toMatch(/NaN|Infinity|undefined/);
  });
});

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Machine } from "../../loadtest/bench-report.ts";
import { candidatesReportOf, formatCandidates } from "../../loadtest/candidates-report.ts";
import { type CatalogueFacts, catalogueRowOf, formatCatalogue } from "../../loadtest/catalogue-report.ts";
import type { ClosedLoopResult } from "../../loadtest/closed-loop-client.ts";
import { type CurveReport, drawCurves, formatCurves } from "../../loadtest/curve-report.ts";
import { fitLine, relativeWeight } from "../../loadtest/line-fit.ts";
import { highestSustained, type LoadCurve, loadCurveOf, loadShares } from "../../loadtest/load-curve.ts";
import type { LoadReport } from "../../loadtest/load-run.ts";
import { runOpenLoop } from "../../loadtest/open-loop.ts";

const machine: Machine = { cpu: "a CPU", threads: 2, node: "v24", loadBefore: 0 };

function reportOf(rate: number, p99: number, answered = rate): LoadReport {
  const percentiles = { p50: p99 / 4, p90: p99 / 3, p95: p99 / 2, p99, p99_9: p99, max: p99 };
  return {
    target: "test",
    offeredRate: rate,
    achievedRate: answered,
    goodRate: p99 <= 50 ? answered : 0,
    timelyRate: p99 <= 50 ? answered : 0,
    scheduled: rate,
    answered,
    degraded: 0,
    errors: {},
    latencyMs: percentiles,
    fromSendingMs: percentiles,
    generatorLagMs: percentiles,
    curve: [],
  };
}

function resultOf(p50Ms: number, degraded = 0): ClosedLoopResult {
  return { requestsPerSecond: 1, candidatesPerSecond: 1, p50Ms, p99Ms: 2 * p50Ms, errors: {}, degraded };
}

describe("a line through measurements", () => {
  it("is found again, whatever the weights", () => {
    const some = fc.double({ min: 0.1, max: 10, noNaN: true });
    fc.assert(
      fc.property(some, some, fc.boolean(), (fixed, slope, relative) => {
        const points = [10, 20, 50, 100, 2_000].map((x) => [x, fixed + slope * x] as const);
        const found = fitLine(points, relative ? relativeWeight : undefined);
        expect(found.slope).toBeCloseTo(slope, 6);
        expect(found.fixed).toBeCloseTo(fixed, 4);
      }),
    );
  });

  it("does not let a tenth too much at 2,000 candidates move what a request costs at 10", () => {
    const points = [10, 20, 50, 100, 200, 500, 1_000, 2_000].map(
      (x) => [x, (0.3 + 0.001 * x) * (x === 2_000 ? 1.1 : 1)] as const,
    );
    expect(Math.abs(fitLine(points, relativeWeight).fixed - 0.3)).toBeLessThan(0.01);
    expect(Math.abs(fitLine(points).fixed - 0.3)).toBeGreaterThan(0.015);
  });

  it("is flat through one point, several at one place, or none", () => {
    expect(fitLine([[3, 7]])).toEqual({ fixed: 7, slope: 0 });
    expect(
      fitLine([
        [3, 7],
        [3, 9],
      ]),
    ).toEqual({ fixed: 8, slope: 0 });
    expect(fitLine([])).toEqual({ fixed: 0, slope: 0 });
  });
});

describe("goodput", () => {
  it("counts whole answers in time; degraded, late and failed ones do not count", async () => {
    const kinds = [
      { ok: true, degraded: false, after: 0 },
      { ok: true, degraded: true, after: 0 },
      { ok: true, degraded: false, after: 90 },
      { ok: false, degraded: false, after: 0 },
    ];
    const result = await runOpenLoop(Float64Array.of(0, 0, 0, 0), async (index) => {
      const { ok, degraded, after } = kinds[index] ?? { ok: false, degraded: false, after: 0 };
      await new Promise((resolve) => setTimeout(resolve, after));
      return { ok, degraded, code: ok ? "200" : "503", body: Buffer.alloc(0) };
    });
    expect(result).toMatchObject({ answered: 3, degraded: 1, good: 1, timely: 2, errors: { "503": 1 } });
  });
});

describe("latency against load", () => {
  const runs = [reportOf(200, 20), reportOf(100, 90), reportOf(400, 400), reportOf(300, 30, 200)];

  it("goes from light load past saturation, denser where the knee is", () => {
    expect(loadShares.toSorted((a, b) => a - b)).toEqual(loadShares);
    expect(loadShares.at(0)).toBeLessThanOrEqual(0.1);
    expect(loadShares.at(-1)).toBeGreaterThanOrEqual(2);
    expect(loadShares.filter((share) => share >= 0.7 && share <= 1.15).length).toBeGreaterThanOrEqual(5);
  });

  it("takes for sustained what stayed under the bound and was answered, also above a step with a bad second", () => {
    expect(highestSustained(runs)?.offeredRate).toBe(200);
    expect(highestSustained([reportOf(100, 500)])).toBeUndefined();
  });

  it("tells the tail at half of the highest sustained rate", () => {
    const curve = loadCurveOf({ server: "setlist", capacity: 400, loadBefore: 0 }, runs, reportOf(100, 8));
    expect(curve.steps.map(({ offeredRate }) => offeredRate)).toEqual([100, 200, 300, 400]);
    expect(curve).toMatchObject({ highestSustainedRate: 200, half: { p50Ms: 2, p99Ms: 8, tailRatio: 4 } });
    expect(curve.steps[2]).toMatchObject({ failed: 100, scheduled: 300 });
  });

  const curves: LoadCurve[] = (["setlist", "fastapi"] as const).map((server) =>
    loadCurveOf({ server, capacity: 400, loadBefore: 0 }, runs, reportOf(100, 8)),
  );
  const report: CurveReport = {
    curves,
    candidates: 200,
    limit: 20,
    secondsAStep: 4,
    leftOut: ["The plain one was left out."],
    machine,
  };

  it("is printed with who was left out, and who sustained nothing", () => {
    const { half, ...first } = curves[0] as LoadCurve;
    const text = formatCurves({
      ...report,
      curves: [...curves, { ...first, server: "plain", highestSustainedRate: null, half: null }],
    });
    expect(text).toContain(
      "Setlist: 200/s sustained; at half of it, 100/s, p50 2.00 ms, p99 8.00 ms, p99 / p50 4.0",
    );
    expect(text).toContain("plain: no step was sustained");
    expect(text).toContain("The plain one was left out.");
  });

  it("is drawn with all servers on the same axes, each in its own colour in both plots", () => {
    const svg = drawCurves(report);
    expect(svg).not.toMatch(/NaN|Infinity|undefined/);
    const paints = [...svg.matchAll(/<g [^>]*stroke="(#\w+)"[^>]*aria-label="line"/g)].map(
      ([, paint]) => paint,
    );
    expect(paints).toHaveLength(2 * 3 + 2 * 2);
    expect(paints.filter((paint) => paint === "#0072b2")).toHaveLength(5);
    // FastAPI keeps its colour although the plain server did not take part.
    expect(paints.filter((paint) => paint === "#009e73")).toHaveLength(5);
    for (const text of ["Setlist", "FastAPI", "p50", "p95", "p99"]) expect(svg).toContain(`>${text}<`);
  });

  it("leaves out the latency of a step of which nothing was answered", () => {
    const dead = loadCurveOf(
      { server: "plain", capacity: 400, loadBefore: 0 },
      [reportOf(100, 10), reportOf(800, 0, 0)],
      undefined,
    );
    expect(drawCurves({ ...report, curves: [dead] })).not.toMatch(/NaN|Infinity|undefined/);
    expect(dead.half).toBeNull();
  });
});

describe("latency by candidates", () => {
  it("is a fixed part and a part a candidate, of medians over the rounds", () => {
    const round = (factor: number) =>
      [10, 100, 1_000].map((count) => [count, resultOf(factor * (0.4 + 0.002 * count), 1)] as const);
    const report = candidatesReportOf([round(1), round(1), round(9)], machine);
    expect(report.fixedMs).toBeCloseTo(0.4, 9);
    expect(report.microsecondsACandidate).toBeCloseTo(2, 9);
    expect(report.deviationMax).toBeCloseTo(0, 9);
    expect(report.points[0]).toMatchObject({ candidates: 10, degraded: 3, failed: 0 });
    expect(formatCandidates(report)).toContain("p50 = 0.400 ms + 2.00 us a candidate, within 0 %");
  });
});

describe("latency by catalogue", () => {
  const facts: CatalogueFacts = {
    items: 2_000_000,
    readySeconds: 80,
    imported: true,
    warmSeconds: 40,
    residentMib: 9_000,
    storeMib: 700,
  };

  it("is compared with the smallest of the same round: a slow minute slows both", () => {
    const rounds = [1, 5, 1].map((factor) => ({
      smallest: resultOf(factor),
      size: resultOf(1.2 * factor, 1),
    }));
    const row = catalogueRowOf(facts, rounds);
    expect(row.p50VsSmallest).toBeCloseTo(1.2, 9);
    expect(row).toMatchObject({ p50Ms: 1.2, degraded: 3, failed: 0, residentMib: 9_000 });
  });

  it("names the sizes that could not be measured, and why", () => {
    const text = formatCatalogue({
      rows: [catalogueRowOf(facts, [{ smallest: resultOf(1), size: resultOf(1) }])],
      unmeasured: [{ items: 4_000_000, why: "the server ended with 137" }],
      candidates: 200,
      limit: 20,
      machine,
      at: "",
    });
    expect(text).toContain("2,000,000");
    expect(text).toContain("80.0 (import)");
    expect(text).toContain("4,000,000 items could not be measured: the server ended with 137");
  });
});

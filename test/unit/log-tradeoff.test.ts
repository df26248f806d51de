import { describe, expect, test } from "vitest";
import type { Experiment } from "../../src/domain/experiment.ts";
import { userRequestId } from "../../src/domain/outcome.ts";
import type { LogRecord } from "../../src/domain/outcome-log.ts";
import { crossMomentsOf } from "../../src/statistics/moments.ts";
import { estimateOfRatio, exposureLoss } from "../../src/statistics/statistics.ts";
import { completions, experimentOf, impressionOf, outcomeOf } from "../support/log-records.ts";
import { analysisOfRecords } from "../support/logged-files.ts";

const noon = Date.parse("2026-11-22T12:00:00.000Z");
const range = (length: number): number[] => Array.from({ length }, (_, i) => i);
const armOf = (unit: number): "control" | "kd" => (unit % 2 === 0 ? "control" : "kd");
const seconds = { ...completions, id: "seconds", aggregate: "sum", margin: 0.05, covariate: "none" } as const;

function analysisOf(records: readonly LogRecord[], changes: Partial<Experiment> = {}) {
  const experiment = experimentOf({ metrics: [seconds], ...changes });
  return analysisOfRecords(experiment, records, new Date(noon));
}

/** Milliseconds of a request in all, `model` of them the model's. */
const timed = (request: string, unit: number, ms: number, model: number): LogRecord => ({
  ...impressionOf(request, `u${unit}`, armOf(unit)),
  timings: { assign: 1, features: 2, queue: 0.5, inference: model, rank: ms - model - 3.5 },
});

/** Everybody does 99, 100 or 101, kd `less` less; a request takes 20 to 22 ms, of kd `ms` less. */
function house(units: number, { less = 0, ms = 10 }: { less?: number; ms?: number } = {}): LogRecord[] {
  return range(units).flatMap((unit) => {
    const [place, isKd] = [unit >> 1, armOf(unit) === "kd"];
    const takes = 20 + (place % 3) - (isKd ? ms : 0);
    return [
      timed(`r${unit}`, unit, takes, takes / 2),
      ...(place % 2 === 0 ? [timed(`again${unit}`, unit, takes + 2, takes / 2)] : []),
      {
        ...outcomeOf(
          `o${unit}`,
          userRequestId(`u${unit}`),
          "",
          "completion",
          99 + (place % 3) - (isKd ? less : 0),
        ),
        occurredAt: noon + 1,
      },
    ];
  });
}

describe("quality against latency and cost", () => {
  test("a faster arm that keeps its margin has it said in one statement, which is the verdict", async () => {
    const { tradeoff, verdict } = await analysisOf(house(600));
    expect(tradeoff?.statements).toMatchObject([{ arm: "kd", versus: "control", verdict: "proven" }]);
    expect(tradeoff?.statements?.[0]?.pValue).toBeLessThan(0.001);
    expect(tradeoff?.verdict).toContain("kd is not worse than control on seconds by more than 5.0 %");
    expect(tradeoff?.verdict).toContain("latency is lower");
    expect(verdict).toMatchObject({
      kind: "not-worse",
      sentence: expect.stringContaining("and latency is lower"),
    });
    expect(verdict?.reasons).toContain(tradeoff?.verdict);
  });

  test("latency and the model's time are of a request, and clustered by unit", async () => {
    const { tradeoff } = await analysisOf(house(12));
    const latencyOf = (arm: string) => {
      const rows = range(12)
        .filter((unit) => armOf(unit) === arm)
        .map((unit) => {
          const place = unit >> 1;
          const takes = 20 + (place % 3) - (arm === "kd" ? 10 : 0);
          return place % 2 === 0 ? ([2, 2 * takes + 2] as const) : ([1, takes] as const);
        });
      const estimate = estimateOfRatio(crossMomentsOf(rows));
      return estimate.ok ? estimate.value.value : undefined;
    };
    expect(tradeoff?.points.map(({ latencyMs }) => latencyMs)).toEqual(
      ["control", "kd"].map((arm) => expect.closeTo(latencyOf(arm) ?? -1, 9)),
    );
    expect(tradeoff?.points.map(({ cost }) => cost)).toEqual([
      expect.closeTo(10.5, 0),
      expect.closeTo(5.5, 0),
    ]);
    expect(tradeoff?.costUnit).toBe("ms of the model's time");
    expect(tradeoff?.points.map(({ quality }) => quality)).toEqual([100, 100]);
  });

  test.each([
    ["quality that is worse than its margin", { less: 20 }, "worse", "worse"],
    ["nothing that is better", { ms: 0 }, "no-gain", "not-worse"],
  ] as const)("%s is no reason to ship", async (_what, made, statement, kind) => {
    const { tradeoff, verdict } = await analysisOf(house(600, made));
    expect(tradeoff?.statements?.[0]?.verdict).toBe(statement);
    expect(verdict?.kind).toBe(kind);
    expect(verdict?.reasons).toContain(tradeoff?.verdict);
    expect(verdict?.sentence).not.toContain("is lower");
  });

  test("what arms are declared to cost needs no test, and stands for the model's time", async () => {
    const arms = experimentOf().arms.map((arm) => ({ ...arm, cost: arm.control ? 0.4 : 0.1 }));
    const { tradeoff, verdict } = await analysisOf(house(600, { ms: 0 }), { arms });
    expect(tradeoff?.points.map(({ cost }) => cost)).toEqual([0.0004, 0.0001]);
    expect(tradeoff?.statements?.[0]).toMatchObject({ verdict: "proven", gains: [{ name: "latency" }] });
    expect(verdict?.sentence).toContain("and a thousand requests cost 0.1 instead of 0.4.");
  });

  test("there are points and no statement without a margin, before a fixed plan's end, and of an unhealthy experiment", async () => {
    const without = await analysisOf(house(600), { metrics: [{ ...seconds, margin: undefined }] });
    const early = await analysisOf(house(600), { plan: { kind: "fixed", units: 5_000 } });
    const broken = await analysisOf(house(600), {
      arms: experimentOf().arms.map((arm) => ({ ...arm, weight: arm.control ? 3 : 1 })),
    });
    expect([early.verdict?.kind, broken.verdict?.kind]).toEqual(["too-early", "unhealthy"]);
    for (const { tradeoff } of [without, early, broken]) {
      expect(tradeoff).toMatchObject({ metric: "seconds", verdict: null });
      expect(tradeoff?.points).toHaveLength(2);
      expect(tradeoff?.statements).toBeUndefined();
    }
  });

  test("what clients track has no latency, and an experiment of nothing else no picture", async () => {
    const tracked = range(20).map((unit) => ({
      ...impressionOf(`r${unit}`, `u${unit}`, armOf(unit), [], { model: undefined }),
      candidateCount: 0,
    }));
    const { tradeoff, health } = await analysisOf(tracked);
    expect(tradeoff).toBeUndefined();
    expect(health?.checks.find(({ id }) => id === "exposure-loss")).toMatchObject({ ok: null, pValue: null });
  });
});

describe("units that never saw their arm's model", () => {
  /** Of each arm's 500 units so many have answers without a model alone, and all others one beside theirs. */
  const lossOf = async (control: number, kd: number) => {
    const records = range(1_000).flatMap((unit) => {
      const isLost = unit >> 1 < (armOf(unit) === "kd" ? kd : control);
      const fallback = impressionOf(`f${unit}`, `u${unit}`, armOf(unit), ["t1"], { model: undefined });
      return [fallback, ...(isLost ? [] : [impressionOf(`r${unit}`, `u${unit}`, armOf(unit))])];
    });
    const { health, verdict } = await analysisOf(records);
    return { check: health?.checks.find(({ id }) => id === "exposure-loss"), verdict };
  };

  test("make an experiment unhealthy where an arm has many more of them", async () => {
    const { check, verdict } = await lossOf(10, 60);
    const expected = exposureLoss([
      { assigned: 500, exposed: 490 },
      { assigned: 500, exposed: 440 },
    ]);
    expect(check).toMatchObject({
      ok: false,
      pValue: expect.closeTo(expected.ok ? expected.value.pValue : -1, 12),
      detail: expect.stringContaining("control 10 of 500, kd 60 of 500"),
    });
    expect(verdict).toMatchObject({ kind: "unhealthy" });
    expect(verdict?.reasons.join()).toContain("too slow for the deadline");
  });

  test("are no fault where both arms have as many, or none; a handful cannot be tested", async () => {
    expect((await lossOf(30, 34)).check).toMatchObject({ ok: true, likelyCause: null });
    expect((await lossOf(0, 0)).check).toMatchObject({ ok: true, pValue: null });
    expect((await lossOf(0, 3)).check).toMatchObject({ ok: null, pValue: null });
  });
});

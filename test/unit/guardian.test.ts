/** The guardian over a real store, with a clock that stands still until it is moved. */
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { type ArmCounts, latencyBound, latencyBucket, latencyBuckets } from "../../src/domain/arm-counts.ts";
import type { ExperimentDocument } from "../../src/domain/experiment.ts";
import type { Guardrail } from "../../src/domain/guardrail.ts";
import { documentOf, killed, moved, replaced, revived, switched } from "../../src/experiments/experiments.ts";
import { Guardian, type LatestFigures } from "../../src/guardrails/guardrails.ts";
import { openRegistry } from "../../src/registry/registry.ts";
import { arm, documentWith, experimentWith } from "../support/experiments.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const hour = 3_600_000;
const ramp = [{ traffic: 0.01, for: "1h" }, { traffic: 0.1, for: "24h" }, { traffic: 0.5 }];
const commons = { alpha: 0.01, minimum: 100, window: "1h" } as const;
const fallbacks: Guardrail = {
  id: "fallbacks",
  kind: "fallback-rate",
  action: "hold",
  margin: 0.02,
  ...commons,
};
const slow: Guardrail = { id: "slow", kind: "latency-p99", action: "rollback", maxMs: 20, ...commons };

interface Seen {
  readonly requests?: number;
  readonly errors?: number;
  readonly fallbacks?: number;
  readonly ms?: number;
}

function countsOf(
  arm: string,
  { requests = 200, errors = 0, fallbacks = 0, ms = 2 }: Seen,
  phase = 1,
): ArmCounts {
  const latencies = new Uint32Array(latencyBuckets + 1);
  latencies[latencyBucket(ms)] = requests;
  return { experiment: "exp", phase, arm, requests, errors, fallbacks, latencies };
}

/** A running experiment whose guardian checks when it is told to. */
async function guarded(over: Partial<ExperimentDocument>, folder?: string) {
  const dataDir = folder ?? (await temporaryFolder());
  let now = Date.parse("2026-11-26T08:00:00.000Z");
  const clock = { now: () => now, monotonic: () => now };
  const store = openRegistry({ dataDir, clock });
  onTestFinished(() => store.close());
  const done: string[] = [];
  const counts: ArmCounts[] = [];
  let figures: LatestFigures = { figures: undefined, problem: undefined };
  const newGuardian = () =>
    new Guardian({
      store,
      clock,
      checkMs: 60_000,
      collect: async () => counts.splice(0),
      figuresOf: () => figures,
      observer: {
        breached: (_id, { guardrail, action }) => done.push(`${action} ${guardrail}`),
        recovered: (_id, guardrail) => done.push(`recovered ${guardrail}`),
        stepped: (_id, traffic) => done.push(`step ${traffic}`),
        failed: (what, error) => done.push(`${what}: ${error}`),
      },
    });
  let guardian = newGuardian();
  await store.write("ada", () => ({
    experiments: [{ document: experimentWith({ salt: "exp", ...over }), what: "created, running" }],
  }));
  return {
    done,
    store,
    standing: () => store.get("exp") as NonNullable<ReturnType<typeof store.get>>,
    revision: () => store.get("exp")?.revision as number,
    whats: async () => (await store.history("exp")).map(({ who, what }) => `${who}: ${what}`),
    health: () => guardian.healthOf("exp"),
    knows(latest: LatestFigures) {
      figures = latest;
    },
    restart() {
      guardian = newGuardian();
    },
    /** Time passes, requests come, and the guardian looks. */
    async look(passedMs: number, seen: Readonly<Record<string, Seen>> = {}) {
      now += passedMs;
      counts.push(...Object.entries(seen).map(([arm, one]) => countsOf(arm, one)));
      await guardian.check();
    },
  };
}

const alike = { control: {}, treated: {} };

describe("a ramp", () => {
  test("goes on step by step, each after its time, and ends at the last", async () => {
    const one = await guarded({ ramp, traffic: 0.01 });
    await one.look(hour - 1);
    expect(one.standing().traffic).toBe(0.01);
    await one.look(1);
    expect(one.standing().traffic).toBe(0.1);
    await one.look(24 * hour - 1);
    expect(one.standing().traffic).toBe(0.1);
    await one.look(1);
    await one.look(1_000 * hour);
    expect(one.standing()).toMatchObject({ traffic: 0.5, phase: 1 });
    expect(await one.whats()).toEqual([
      "ada: created, running",
      "ramp: traffic 0.01 to 0.1; step 2 of 3, after 1h",
      "ramp: traffic 0.1 to 0.5; step 3 of 3, after 24h",
    ]);
  });

  test("waits for guardrails that cannot tell yet, and goes on once they are healthy", async () => {
    const one = await guarded({ ramp, traffic: 0.01, guardrails: [fallbacks] });
    await one.look(hour, { control: { requests: 20 }, treated: { requests: 20 } });
    expect(one.standing().traffic).toBe(0.01);
    expect((await one.health()).ramp).toMatchObject({
      step: 1,
      steps: 3,
      passedMs: hour,
      totalMs: hour,
      heldBy: "guardrail fallbacks is undecided",
    });
    await one.look(60_000, alike);
    expect(one.standing().traffic).toBe(0.1);
    expect((await one.whats()).at(-1)).toBe(
      "ramp: traffic 0.01 to 0.1; step 2 of 3, after 1h with healthy guardrails: fallbacks",
    );
  });

  test("waits where an arm looks worse than allowed and nothing proves it yet", async () => {
    const one = await guarded({ ramp, traffic: 0.01, guardrails: [fallbacks] });
    await one.look(hour, { control: {}, treated: { fallbacks: 7 } });
    expect(one.standing().traffic).toBe(0.01);
    expect((await one.health()).state).toBe("undecided");
  });

  test("is paused with its experiment: the time before a pause counts, that within it does not", async () => {
    const one = await guarded({ ramp, traffic: 0.01 });
    const move = (to: "pause" | "start") =>
      one.store.write("ada", (state) => moved(state, to, { id: "exp", revision: one.revision(), known: {} }));
    await one.look(hour / 2);
    await move("pause");
    await one.look(10 * hour);
    expect((await one.health()).ramp).toMatchObject({ passedMs: hour / 2, heldBy: "it is paused" });
    await move("start");
    await one.look(hour / 2 - 1);
    expect(one.standing().traffic).toBe(0.01);
    await one.look(1);
    expect(one.standing().traffic).toBe(0.1);
  });

  test("goes on after a restart in the middle of a step: what passed is known from the history", async () => {
    const one = await guarded({ ramp, traffic: 0.01, guardrails: [fallbacks] });
    await one.look(hour, alike);
    await one.look(20 * hour, alike);
    one.restart();
    await one.look(4 * hour - 1, alike);
    expect(one.standing().traffic).toBe(0.1);
    await one.look(1, alike);
    expect(one.standing().traffic).toBe(0.5);
  });

  test("counts anew where somebody skips ahead", async () => {
    const one = await guarded({ ramp, traffic: 0.01 });
    await one.look(hour / 2);
    await one.store.write("ada", (state) =>
      replaced(
        state,
        { ...documentOf(one.standing()), traffic: 0.1 },
        { revision: one.revision(), confirmed: [], known: {} },
      ),
    );
    await one.look(24 * hour - 1);
    expect(one.standing().traffic).toBe(0.1);
    await one.look(1);
    expect(one.standing().traffic).toBe(0.5);
  });

  test("waits where another experiment has taken what it would need, and says who", async () => {
    const one = await guarded({ ramp, traffic: 0.01 });
    await one.look(hour);
    const mate = experimentWith({ id: "mate", traffic: 0.8 }, [one.standing()]);
    await one.store.write("ben", () => ({ experiments: [{ document: mate, what: "created, running" }] }));
    await one.look(24 * hour);
    expect(one.standing().traffic).toBe(0.1);
    expect((await one.health()).ramp?.heldBy).toContain("layer ranker is held by mate (0.8)");
  });

  test("takes no step while the kill switch is on", async () => {
    const one = await guarded({ ramp, traffic: 0.01 });
    const turn = (on: boolean) =>
      one.store.write("ada", (state) => switched(state, { on, reason: "all of it", revision: undefined }));
    await turn(true);
    await one.look(hour);
    expect(one.standing().traffic).toBe(0.01);
    await turn(false);
    await one.look(1);
    expect(one.standing().traffic).toBe(0.1);
  });

  test("is taken once where two servers look at the same moment", async () => {
    const folder = await temporaryFolder();
    const one = await guarded({ ramp, traffic: 0.01 }, folder);
    const other = new Guardian({
      store: one.store,
      clock: { now: () => Date.parse("2026-11-26T09:00:00.000Z"), monotonic: () => 0 },
      checkMs: 60_000,
      collect: async () => [],
      figuresOf: () => ({ figures: undefined, problem: undefined }),
      observer: { breached() {}, recovered() {}, stepped: () => one.done.push("other"), failed() {} },
    });
    await Promise.all([one.look(hour), other.check()]);
    expect(one.standing().traffic).toBe(0.1);
    expect(one.done).toHaveLength(1);
  });
});

describe("a breach", () => {
  test("with action hold keeps the ramp where it is until the guardrail is healthy for the step's whole time", async () => {
    const one = await guarded({ ramp, traffic: 0.01, guardrails: [fallbacks] });
    await one.look(hour / 2, { control: {}, treated: { fallbacks: 60 } });
    expect(one.done).toEqual(["hold fallbacks"]);
    expect(one.standing()).toMatchObject({
      status: "running",
      breach: { guardrail: "fallbacks", thanks: "ada" },
    });
    expect(one.standing().killed).toBeUndefined();
    expect(await one.health()).toMatchObject({ state: "breached", ramp: { passedMs: 0 } });

    // The next window is healthy; a whole window has passed since the breach.
    await one.look(hour, alike);
    expect(one.done).toEqual(["hold fallbacks", "recovered fallbacks"]);
    expect(one.standing().breach).toBeUndefined();
    await one.look(hour - 1, alike);
    expect(one.standing().traffic).toBe(0.01);
    await one.look(1, alike);
    expect(one.standing().traffic).toBe(0.1);
    expect((await one.whats()).slice(1)).toEqual([
      expect.stringMatching(
        /^guardrail: held by guardrail fallbacks: arm treated: 30 % of 200 requests fell back/,
      ),
      "guardrail: no longer held by guardrail fallbacks",
      "ramp: traffic 0.01 to 0.1; step 2 of 3, after 1h with healthy guardrails: fallbacks",
    ]);
  });

  test("with action rollback kills at once, with its numbers; revived, the experiment is judged anew", async () => {
    const one = await guarded({ guardrails: [{ ...slow, owner: "team-latency" }] });
    await one.look(60_000, { control: { ms: 60 }, treated: { ms: 60 } });
    expect(one.done).toEqual(["rollback slow"]);
    const { breach, killed: reason } = one.standing();
    expect(breach).toMatchObject({
      guardrail: "slow",
      at: "2026-11-26T08:01:00.000Z",
      alpha: 0.005,
      thanks: "team-latency",
      evidence: { arm: "treated", count: 200, bound: 20 },
    });
    expect(breach?.evidence.estimate).toBeCloseTo(latencyBound(latencyBucket(60)));
    expect(reason).toContain("100 % of 200 requests took more than 20 ms");

    await one.store.write("ada", (state) => revived(state, { id: "exp", revision: one.revision() }));
    expect(one.standing().breach).toBeUndefined();
    await one.look(60_000, { control: {}, treated: { ms: 4 } });
    expect(one.standing().killed).toBeUndefined();
    expect((await one.health()).state).toBe("healthy");
  });

  test("of two guardrails at once is the rollback, also where the hold stands first", async () => {
    const one = await guarded({ guardrails: [fallbacks, slow] });
    await one.look(60_000, { control: {}, treated: { fallbacks: 100, ms: 60 } });
    expect(one.done).toEqual(["rollback slow"]);
    expect(one.standing().killed).toContain("slow");
  });

  test("is not found in a handful of requests: three slow ones may be one pause of the machine", async () => {
    const one = await guarded({ guardrails: [slow] });
    await one.look(60_000, { control: {}, treated: { requests: 99, ms: 60 } });
    expect(one.done).toEqual([]);
    expect((await one.health()).state).toBe("undecided");
    await one.look(60_000, { treated: { requests: 1, ms: 60 } });
    expect(one.done).toEqual(["rollback slow"]);
  });

  test("of a small difference is found after many requests, and one within the margin never", async () => {
    const one = await guarded({ guardrails: [fallbacks] });
    for (let minute = 0; minute < 30; minute++) {
      await one.look(60_000, { control: { requests: 1_000 }, treated: { requests: 1_000, fallbacks: 19 } });
    }
    expect(one.done).toEqual([]);
    for (let minute = 0; minute < 60; minute++) {
      await one.look(60_000, { control: { requests: 1_000 }, treated: { requests: 1_000, fallbacks: 35 } });
    }
    expect(one.done).toEqual(["hold fallbacks"]);
  });

  test("is one of the arm, not of control: where both fail alike nothing is wrong with the arm", async () => {
    const errors: Guardrail = {
      id: "errors",
      kind: "error-rate",
      action: "rollback",
      margin: 0.01,
      ...commons,
    };
    const one = await guarded({ guardrails: [errors] });
    await one.look(60_000, { control: { errors: 100 }, treated: { errors: 100 } });
    expect(one.done).toEqual([]);
    await one.look(60_000, { control: {}, treated: { errors: 200 } });
    expect(one.done).toEqual(["rollback errors"]);
  });

  test("is not found in what another phase counted", async () => {
    const one = await guarded({ guardrails: [slow] });
    const phase2 = { ...documentWith({ guardrails: [slow] }), salt: "other" };
    await one.store.write("ada", (state) =>
      replaced(state, phase2, { revision: one.revision(), confirmed: ["new-phase"], known: {} }),
    );
    await one.look(60_000, { control: {}, treated: { ms: 60 } });
    expect(one.done).toEqual([]);
  });

  test("is not looked for in what does not run", async () => {
    const one = await guarded({ guardrails: [slow] });
    await one.store.write("ada", (state) =>
      killed(state, { id: "exp", revision: undefined, reason: "lunch" }),
    );
    await one.look(60_000, { control: {}, treated: { ms: 60 } });
    expect(one.done).toEqual([]);
    expect(one.standing().killed).toBe("lunch");
  });
});

test("a rollback that cannot be written is tried again after a second, not at the next check", async () => {
  const one = await guarded({ guardrails: [slow] });
  let refusals = 1;
  const failures: unknown[] = [];
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const guardian = new Guardian({
    store: {
      refresh: () => one.store.refresh(),
      history: (id) => one.store.history(id),
      async write(who, change) {
        if (refusals-- > 0) throw new Error("the disk is full");
        return one.store.write(who, change);
      },
    },
    clock: { now: () => Date.parse("2026-11-26T08:01:00.000Z"), monotonic: () => 0 },
    checkMs: 60_000,
    collect: async () =>
      failures.length === 0 ? [countsOf("control", {}), countsOf("treated", { ms: 60 })] : [],
    figuresOf: () => ({ figures: undefined, problem: undefined }),
    observer: { breached() {}, recovered() {}, stepped() {}, failed: (_what, error) => failures.push(error) },
  });
  guardian.begin();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(failures).toEqual([new Error("the disk is full")]);
  expect(one.standing().killed).toBeUndefined();
  await vi.advanceTimersByTimeAsync(1_000);
  expect(one.standing().killed).toContain("guardrail slow");
  await guardian.close();
});

test("what was counted outlasts a check at which the history could not be read", async () => {
  const one = await guarded({ guardrails: [slow], traffic: 0.1 });
  await one.look(60_000, { control: {}, treated: { requests: 99, ms: 60 } });
  await one.store.write("ada", (state) =>
    replaced(
      state,
      { ...documentOf(one.standing()), traffic: 0.2 },
      { revision: one.revision(), confirmed: [], known: {} },
    ),
  );
  vi.spyOn(one.store, "history").mockRejectedValueOnce(new Error("the disk is away"));
  await one.look(60_000);
  await one.look(60_000, { treated: { requests: 1, ms: 60 } });
  expect(one.done).toEqual(["experiment exp was not checked: Error: the disk is away", "rollback slow"]);
});

describe("a window", () => {
  test("begins anew where its guardrail changes, also back to what it was", async () => {
    const one = await guarded({ guardrails: [slow] });
    const guardBy = (guardrail: Guardrail) =>
      one.store.write("ada", (state) =>
        replaced(
          state,
          { ...documentOf(one.standing()), guardrails: [guardrail] },
          { revision: one.revision(), confirmed: [], known: {} },
        ),
      );
    await one.look(60_000, { control: {}, treated: { requests: 99, ms: 60 } });
    await guardBy({ ...slow, maxMs: 100 });
    await one.look(60_000);
    await guardBy(slow);
    await one.look(60_000, { treated: { requests: 1, ms: 60 } });
    expect(one.done).toEqual([]);
    expect((await one.health()).guardrails[0]?.arms[0]?.count).toBe(1);
  });

  test("begins anew after its time, with less of alpha, and is as healthy as the last until it can tell", async () => {
    const one = await guarded({ guardrails: [fallbacks] });
    const seen = async () => (await one.health()).guardrails[0];
    await one.look(hour - 1, alike);
    expect(await seen()).toMatchObject({ state: "healthy", alpha: 0.005, since: "2026-11-26T08:00:00.000Z" });
    await one.look(1, { treated: { requests: 1 }, control: { requests: 1 } });
    expect(await seen()).toMatchObject({
      state: "healthy",
      alpha: 0.01 / 6,
      since: "2026-11-26T09:00:00.000Z",
    });
    await one.look(2 * hour, { treated: { requests: 1 }, control: { requests: 1 } });
    expect(await seen()).toMatchObject({ state: "undecided", alpha: 0.01 / 20 });
  });
});

describe("what the log says", () => {
  const metrics = [
    { id: "plays", type: "mean", outcome: "play", aggregate: "count", goal: "increase", role: "guardrail" },
  ] as const;
  const plays: Guardrail = {
    id: "plays",
    kind: "metric",
    metric: "plays",
    action: "rollback",
    margin: 0.1,
    alpha: 0.01,
    minimum: 100,
  };
  const srm: Guardrail = { id: "srm", kind: "srm", action: "hold", alpha: 0.01, minimum: 100 };
  const figures = (
    units: readonly [number, number],
    means: readonly [number, number],
    phase = 1,
  ): LatestFigures => ({
    problem: undefined,
    figures: {
      phase,
      arms: ["control", "treated"].map((arm, i) => ({ arm, units: units[i] as number })),
      metrics: [
        {
          metric: "plays",
          arms: ["control", "treated"].map((arm, i) => ({
            arm,
            units: units[i] as number,
            mean: means[i] as number,
            standardError: 1 / Math.sqrt(units[i] as number),
          })),
        },
      ],
    },
  });

  test("is undecided before the first analysis, of another phase, and says what is wrong with it", async () => {
    const one = await guarded({ metrics, guardrails: [plays] });
    await one.look(60_000);
    expect((await one.health()).guardrails[0]).toMatchObject({
      state: "undecided",
      problem: "the log was not analysed yet",
    });
    one.knows(figures([5_000, 5_000], [2, 0], 2));
    await one.look(60_000);
    expect((await one.health()).state).toBe("undecided");
    one.knows({ figures: undefined, problem: "the disk is on fire" });
    await one.look(60_000);
    expect((await one.health()).guardrails[0]?.problem).toBe("the disk is on fire");
  });

  test("rolls back an arm whose metric is worse than the margin allows, and no other", async () => {
    const one = await guarded({ metrics, guardrails: [plays] });
    one.knows(figures([5_000, 5_000], [2, 1.9]));
    await one.look(60_000);
    expect(await one.health()).toMatchObject({ state: "healthy" });
    one.knows(figures([5_000, 5_000], [2, 1.5]));
    await one.look(60_000);
    expect(one.done).toEqual(["rollback plays"]);
    expect(one.standing().breach?.evidence).toMatchObject({
      estimate: 1.5,
      control: 2,
      bound: 1.8,
      count: 5_000,
    });
  });

  test("of a metric that should fall is worse where it rises", async () => {
    const falling = [{ ...metrics[0], goal: "decrease" as const }];
    const one = await guarded({ metrics: falling, guardrails: [plays] });
    one.knows(figures([5_000, 5_000], [2, 1.5]));
    await one.look(60_000);
    expect((await one.health()).state).toBe("healthy");
    one.knows(figures([5_000, 5_000], [2, 2.5]));
    await one.look(60_000);
    expect(one.done).toEqual(["rollback plays"]);
  });

  test("shares its alpha among the arms that it judges", async () => {
    const arms = [arm("control"), arm("treated"), arm("other")];
    const one = await guarded({ arms, metrics, guardrails: [plays] });
    one.knows(figures([5_000, 5_000], [2, 2]));
    await one.look(60_000);
    expect((await one.health()).guardrails[0]).toMatchObject({ alpha: 0.005 });
  });

  test("holds an experiment whose split is broken, and says which arm lacks units", async () => {
    const one = await guarded({ guardrails: [srm] });
    one.knows(figures([5_050, 4_950], [1, 1]));
    await one.look(60_000);
    expect((await one.health()).state).toBe("healthy");
    one.knows(figures([5_500, 4_500], [1, 1]));
    await one.look(60_000);
    expect(one.done).toEqual(["hold srm"]);
    expect(one.standing().breach?.evidence).toMatchObject({ bound: 0.5, count: expect.any(Number) });
  });
});

/** Metrics, plans and health over logs that are small, or regular enough to be worked out by hand. */
import { describe, expect, test } from "vitest";
import type { Experiment, Metric } from "../../src/domain/experiment.ts";
import type { Impression } from "../../src/domain/impression.ts";
import { userRequestId } from "../../src/domain/outcome.ts";
import type { LogRecord } from "../../src/domain/outcome-log.ts";
import { renderReport } from "../../src/report/report.ts";
import { completions, experimentOf, impressionOf, outcomeOf } from "../support/log-records.ts";
import { analysisOfRecords } from "../support/logged-files.ts";

const asOf = new Date("2026-11-25T12:00:00.000Z");
const hour = 3_600_000;

const analysisOf = (records: readonly LogRecord[], changes: Partial<Experiment>) =>
  analysisOfRecords(experimentOf(changes), records, asOf);

const later = (record: LogRecord, hours: number): LogRecord =>
  record.kind === "outcome" ? { ...record, occurredAt: record.occurredAt + hours * hour } : record;

async function meansOf(metric: Partial<Metric>, records: readonly LogRecord[]) {
  const report = await analysisOf(records, { metrics: [{ ...completions, ...metric }] });
  return report.metrics[0]?.arms.map(({ mean }) => mean);
}

describe("what a metric declares is what is counted:", () => {
  const shown = [
    impressionOf("c1", "c", "control"),
    impressionOf("k1", "k", "kd"),
    impressionOf("k2", "k", "kd"),
  ];
  const played = [
    outcomeOf("o1", "c1", "t1", "play", 10),
    later(outcomeOf("o2", "k1", "t1", "play", 30), 1),
    later(outcomeOf("o3", "k1", "t3", "play", 5), 2),
    later(outcomeOf("o4", "k2", "t2", "play", 10), 30),
    outcomeOf("o5", userRequestId("k"), "", "play", 100),
    outcomeOf("o6", "k1", "t1"),
  ];
  const log = [...shown, ...played];

  test.each<[string, Partial<Metric>, readonly number[]]>([
    ["a filter on values", { outcome: "play", filter: "outcome.value >= 10" }, [1, 3]],
    // What a user did, wherever, has no position.
    ["a filter on positions", { outcome: "play", filter: "item.position in [1, 2]" }, [1, 2]],
    [
      "one that an error leaves open",
      { outcome: "play", filter: "item.position > 2 || outcome.value > 20" },
      [0, 3],
    ],
    ["a filter on items", { outcome: "play", filter: "item.id.endsWith('1')" }, [1, 1]],
    ["a window after the exposure", { outcome: "play", window: "3h" }, [1, 3]],
    ["a mean of values", { outcome: "play", aggregate: "mean" }, [10, 145 / 4]],
    ["the last value", { outcome: "play", aggregate: "last" }, [10, 10]],
    // Half of two units: the cap is the lower one's value.
    ["winsorising", { outcome: "play", aggregate: "sum", winsorise: 0.5 }, [10, 10]],
    ["a ratio", { type: "ratio", denominator: { outcome: "play", aggregate: "sum" } }, [0, 1 / 145]],
    [
      "a ratio to requests",
      { type: "ratio", outcome: "play", denominator: { aggregate: "requests" } },
      [1, 2],
    ],
  ])("%s", async (_, metric, means) => {
    expect(await meansOf(metric, log)).toEqual(means.map((mean) => expect.closeTo(mean, 12)));
  });

  test("a window after the exposure, up to its last millisecond", async () => {
    const { at } = impressionOf("k1", "k", "kd");
    for (const [ms, mean] of [
      [0, 1],
      [1, 0],
    ] as const) {
      const outcome = { ...outcomeOf("o1", "k1", "t1", "play"), occurredAt: at + hour + ms };
      expect(await meansOf({ outcome: "play", window: "1h" }, [...shown, outcome])).toEqual([0, mean]);
    }
  });

  test("a feature of an item is read as what it is compared with", async () => {
    const rated = (request: string, unit: string, arm: string): Impression => {
      const items = [{ genre: "jazz", age: 3, from: 4 }, { genre: "NaN", age: 12, from: 4 }, {}];
      return { ...impressionOf(request, unit, arm), sent: { user: {}, context: {}, items } };
    };
    const records = [
      rated("c1", "c", "control"),
      rated("k1", "k", "kd"),
      ...["t1", "t2", "t3"].map((item) => outcomeOf(`o-${item}`, "k1", item)),
    ];
    expect(await meansOf({ filter: "item.features.genre == 'jazz'" }, records)).toEqual([0, 1]);
    expect(await meansOf({ filter: "item.features.age > 2" }, records)).toEqual([0, 2]);
    expect(await meansOf({ filter: "item.features.age > item.features.from" }, records)).toEqual([0, 1]);
    expect(await meansOf({ filter: "item.features.genre > 2" }, records)).toEqual([0, 0]);
    expect(await meansOf({ filter: "!has(item.features.age)" }, records)).toEqual([0, 1]);
  });
});

/** Units of both arms alike but for `effect` more completions of kd, whose number before the exposure is that after it. */
function correlated(effect: number, each = 60): LogRecord[] {
  return Array.from({ length: 2 * each }, (_, i): LogRecord[] => {
    const [unit, arm] = [`u${i}`, i % 2 === 0 ? "control" : "kd"];
    const habit = Math.floor(i / 2) % 3;
    const noise = Math.floor(i / 6) % 2;
    const before = impressionOf(`b${i}`, unit, arm, ["t1", "t2", "t3"], {
      assignment: { experiment: "other" },
    });
    const past = Array.from({ length: habit }, (_, n) => ({
      ...later(outcomeOf(`p${i}-${n}`, `b${i}`, "t1"), -48),
    }));
    const did = Array.from({ length: habit + noise + (arm === "kd" ? effect : 0) }, (_, n) =>
      outcomeOf(`d${i}-${n}`, `r${i}`, "t1"),
    );
    return [{ ...before, at: before.at - 49 * hour }, ...past, impressionOf(`r${i}`, unit, arm), ...did];
  }).flat();
}

describe("what units did before their first exposure", () => {
  test("takes its share of the variance, and leaves the effect", async () => {
    const [metric] = (await analysisOf(correlated(1), {})).metrics;
    const comparison = metric?.comparisons[0];
    expect(comparison?.absolute?.estimate).toBeCloseTo(1, 9);
    // Var(habit) = 2/3 and Var(noise) = 1/4 are independent of each other: 8/11 of the variance was known before.
    expect(comparison?.cuped?.varianceReduction).toBeCloseTo(8 / 11, 2);
    expect(comparison?.cuped?.absolute.estimate).toBeCloseTo(1, 9);
    expect(comparison?.cuped?.covariate).toBe("completions, 14d before");
  });

  test("is not looked at where the metric says none, or where it was longer ago", async () => {
    for (const covariate of ["none", "1d"]) {
      const report = await analysisOf(correlated(1), { metrics: [{ ...completions, covariate }] });
      expect(report.metrics[0]?.comparisons[0]?.cuped).toBeNull();
    }
  });

  test("is none of an earlier phase, which the arm had a hand in", async () => {
    const records = correlated(1).map((record): LogRecord => {
      if (record.kind !== "impression") return record;
      const own = { experiment: "home-kd", phase: record.requestId.startsWith("b") ? 1 : 2 };
      return { ...record, assignments: record.assignments.map((one) => ({ ...one, ...own })) };
    });
    const report = await analysisOf(records, { phase: 2 });
    expect(report.metrics[0]?.arms.map(({ units }) => units)).toEqual([60, 60]);
    expect(report.metrics[0]?.comparisons[0]?.cuped).toBeNull();
  });

  test("that differed between the arms is no health", async () => {
    const records = correlated(0).filter(
      ({ kind, ...record }) =>
        kind !== "outcome" || !/^p\d*[02468]-/.test((record as { outcomeId: string }).outcomeId),
    );
    const report = await analysisOf(records, {});
    expect(report.health?.checks.find(({ id }) => id === "pre-period")).toMatchObject({ ok: false });
    expect(report.verdict).toMatchObject({ kind: "unhealthy" });
    expect(report.verdict?.reasons.join()).toContain("Likely cause: the arms were not alike before");
  });

  test("is compared as a ratio where the metric is one", async () => {
    const some = correlated(0).filter(
      ({ kind, ...record }) =>
        kind !== "outcome" || !/^p1?[02468]-/.test((record as { outcomeId: string }).outcomeId),
    );
    // One click a unit, before and after: per click is then per unit.
    const clicks = some.flatMap((record): LogRecord[] => {
      if (record.kind !== "impression") return [];
      const click = outcomeOf(`c-${record.requestId}`, record.requestId, "t2", "click");
      return [later(click, record.requestId.startsWith("b") ? -48 : 0)];
    });
    const checked = async (metric: Partial<Metric>) => {
      const { health } = await analysisOf([...some, ...clicks], { metrics: [{ ...completions, ...metric }] });
      return health?.checks.find(({ id }) => id === "pre-period")?.pValue;
    };
    const perUnit = await checked({});
    expect(perUnit).toBeLessThan(0.9);
    const perClick = await checked({ type: "ratio", denominator: { outcome: "click", aggregate: "count" } });
    expect(perClick).toBeCloseTo(perUnit as number, 9);
  });
});

describe("the verdict goes by the plan", () => {
  const verdictOf = async (effect: number, changes: Partial<Experiment>) =>
    (await analysisOf(correlated(effect), changes)).verdict?.kind;

  test("one look is too early before its end, and warns", async () => {
    const plan = { kind: "fixed", units: 1_000 } as const;
    const report = await analysisOf(correlated(2), { plan });
    expect(report.plan).toEqual({
      kind: "fixed",
      plannedUnits: 1_000,
      units: 120,
      plannedEnd: null,
      ended: false,
    });
    expect(report.verdict?.kind).toBe("too-early");
    expect(report.warnings.join()).toContain("The plan is one look with 1,000 units, of which 120 are there");
  });

  test("one look at its end says what it shows", async () => {
    const ended = { plan: { kind: "fixed", end: "2026-11-24" } } as const;
    expect(await verdictOf(1, ended)).toBe("better");
    expect(await verdictOf(0, ended)).toBe("open");
    const decrease = { ...completions, goal: "decrease" } as const;
    expect(await verdictOf(1, { ...ended, metrics: [decrease] })).toBe("worse");
  });

  test("waits for as many units as the skewness of what decides asks for, not of other metrics", async () => {
    const plan = { kind: "fixed", units: 120 } as const;
    const rare = { ...completions, id: "rare", outcome: "rare" } as const;
    const once = outcomeOf("o-rare", "r0", "t1", "rare");
    const of = async (role: Metric["role"]) =>
      analysisOf([...correlated(1), once], { plan, metrics: [completions, { ...rare, role }] });
    const secondary = await of("secondary");
    expect(secondary.verdict?.kind).toBe("better");
    const check = secondary.health?.checks.find(({ id }) => id === "enough-units");
    expect(check).toMatchObject({
      ok: true,
      detail: expect.stringMatching(/too few also for what does not decide: rare$/),
    });
    expect((await of("guardrail")).verdict?.kind).toBe("too-early");
  });

  test("a group-sequential plan before its first look, and at one", async () => {
    const plan = (units: number) => ({ kind: "group-sequential", units, looks: [0.5, 1] }) as const;
    expect(await verdictOf(1, { plan: plan(1_000) })).toBe("open");
    const report = await analysisOf(correlated(1), { plan: plan(200) });
    expect(report.metrics[0]?.comparisons[0]?.sequential).toMatchObject({ look: 1, crossed: true });
    expect(report.verdict?.kind).toBe("better");
  });

  test("without a plan by what holds whenever one looks", async () => {
    const report = await analysisOf(correlated(2), {});
    expect(report.plan).toMatchObject({ kind: "always-valid", plannedUnits: null });
    expect(report.metrics[0]?.comparisons[0]?.adjusted?.method).toBe("holm");
  });

  test("a margin that is kept is not worse, and a guardrail past its own makes an arm worse", async () => {
    const plan = { kind: "fixed", units: 120 } as const;
    expect(await verdictOf(0, { plan, metrics: [{ ...completions, margin: 0.5 }] })).toBe("not-worse");
    const guardrail = {
      ...completions,
      id: "fewer",
      role: "guardrail",
      goal: "decrease",
      margin: 0.1,
    } as const;
    expect(await verdictOf(1, { plan, metrics: [completions, guardrail] })).toBe("worse");
  });

  test("a guardrail without a margin makes an arm worse where it is shown to be", async () => {
    const plan = { kind: "fixed", units: 120 } as const;
    const fewer = { ...completions, id: "fewer", role: "guardrail", goal: "decrease" } as const;
    const report = await analysisOf(correlated(1), { plan, metrics: [completions, fewer] });
    expect(report.verdict).toMatchObject({ kind: "worse", reasons: ["guardrail fewer is worse"] });
    expect(await verdictOf(0, { plan, metrics: [completions, fewer] })).toBe("open");
  });
});

describe("a minimum effect is held against what was found", () => {
  const stateOf = async (effect: number, minimumEffect: number, goal: Metric["goal"] = "increase") => {
    const plan = { kind: "fixed", units: 120 } as const;
    const report = await analysisOf(correlated(effect), {
      plan,
      metrics: [{ ...completions, goal, minimumEffect }],
    });
    return { state: report.metrics[0]?.comparisons[0]?.minimumEffect?.state, report };
  };

  test.each<[string, number, number, Metric["goal"], string]>([
    // Control's mean is 1.5, and one completion more is 2/3 of it.
    ["a gain beyond it is shown", 1, 0.5, "increase", "reached"],
    ["a gain that may be below it", 1, 0.66, "increase", "open"],
    ["neither a gain nor a harm as large", 0, 0.3, "increase", "equivalent"],
    ["a harm, where less is better", 1, 0.3, "decrease", "ruled-out"],
    ["too few units to say", 0, 0.01, "increase", "open"],
  ])("%s", async (_, effect, minimum, goal, state) => {
    expect((await stateOf(effect, minimum, goal)).state).toBe(state);
  });

  test("and said, where no difference is shown", async () => {
    const { report } = await stateOf(0, 0.3);
    expect(report.verdict?.kind).toBe("open");
    const words = "the effect is smaller than the minimum effect of interest, 30 %, either way";
    expect(report.verdict?.reasons).toContain(`completions: ${words}`);
    expect(renderReport(report)).toContain(words);
  });
});

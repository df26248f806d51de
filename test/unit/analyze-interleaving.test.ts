import fc from "fast-check";
import { expect, test } from "vitest";
import type { AnalysisReport } from "../../src/analysis/analysis.ts";
import type { Metric } from "../../src/domain/experiment.ts";
import type { Impression } from "../../src/domain/impression.ts";
import { userRequestId } from "../../src/domain/outcome.ts";
import type { LogRecord } from "../../src/domain/outcome-log.ts";
import { renderReport } from "../../src/report/report.ts";
import { preferenceTest, signTest } from "../../src/statistics/statistics.ts";
import { completions, experimentOf, impressionOf, outcomeOf } from "../support/log-records.ts";
import { analysisOfRecords } from "../support/logged-files.ts";
import { interleavingSums } from "../support/unit-credits.ts";

const experiment = experimentOf({ kind: "interleave", phase: 2 });
const analysisOf = (records: readonly LogRecord[], changed = experiment): Promise<AnalysisReport> =>
  analysisOfRecords(changed, records, new Date("2026-11-22T12:00:00.000Z"));

type Team = "control" | "kd" | undefined;

/** A list of t1, t2, …: who picked each, and whether the place was competitive. */
function drafted(
  request: string,
  unit: string,
  slots: readonly (readonly [team: Team, competitive: boolean])[],
  list = request,
): Impression {
  const ids = slots.map((_, i) => `t${i + 1}`);
  return {
    ...impressionOf(request, unit, "interleaved", ids, { assignment: { phase: 2, propensity: 1 } }),
    interleaving: {
      id: list,
      arms: [
        { arm: "control", model: { name: "home-control", version: "1" } },
        { arm: "kd", model: { name: "home-kd", version: "1" } },
      ],
      slots: slots.map(([team, competitive]) => ({ team, competitive })),
    },
  };
}

const both = [
  ["kd", true],
  ["control", true],
  ["kd", false],
  [undefined, false],
] as const;

test("a unit's credit is what it did on the items that an arm picked in competitive places", async () => {
  const report = await analysisOf([
    ...["u1", "u2", "u3", "u4", "u5"].map((unit) => drafted(`r-${unit}`, unit, both)),
    // u1 and u2 for kd, u3 for control, u4 for both alike, u5 where it says nothing.
    outcomeOf("o1", "r-u1", "t1"),
    outcomeOf("o2", "r-u1", "t1"),
    outcomeOf("o3", "r-u1", "t2"),
    outcomeOf("o4", "r-u2", "t1"),
    outcomeOf("o5", "r-u3", "t2"),
    outcomeOf("o6", "r-u4", "t1"),
    outcomeOf("o7", "r-u4", "t2"),
    outcomeOf("o8", "r-u5", "t3"),
    outcomeOf("o9", "r-u5", "t4"),
    outcomeOf("o10", userRequestId("u5"), ""),
  ]);
  expect(report).toMatchObject({
    metrics: [],
    srm: { ok: true, pValue: null },
    arms: [
      { arm: "control", units: 5, impressions: 5 },
      { arm: "kd", units: 5, impressions: 5 },
    ],
    interleaving: {
      arm: "kd",
      versus: "control",
      units: 5,
      lists: 5,
      slots: 20,
      competitiveSlots: 10,
      competitiveShare: 0.5,
      metrics: [{ metric: "completions", wins: 2, losses: 1, ties: 1, sign: { share: 2 / 3, pValue: 1 } }],
    },
  });
  // 1/3, 1, -1, 0
  expect(report.interleaving?.metrics[0]?.preference?.estimate).toBeCloseTo(1 / 12, 14);
  expect(renderReport(report)).toContain(
    "No preference shown on completions: 66.7 % of 3 units with a preference gave kd more",
  );
});

test("pages of one list are one list, as long as the longest of them", async () => {
  const report = await analysisOf([
    drafted("r1", "u1", both.slice(0, 2), "visit"),
    drafted("r2", "u1", both, "visit"),
    drafted("r3", "u2", both, "visit"),
    outcomeOf("o1", "r2", "t2"),
  ]);
  expect(report.interleaving).toMatchObject({ units: 2, lists: 2, slots: 8, competitiveSlots: 4 });
  expect(report.interleaving?.metrics[0]).toMatchObject({ wins: 0, losses: 1 });
});

test("forced units, other phases and answers of one arm alone give no credit", async () => {
  const forced = drafted("r3", "u3", both);
  const report = await analysisOf([
    drafted("r1", "u1", both),
    { ...drafted("r2", "u2", both), interleaving: undefined, degraded: ["one-arm"] },
    { ...forced, assignments: forced.assignments.map((one) => ({ ...one, arm: "kd", overridden: true })) },
    drafted("r4", "u3", both),
    ...["r1", "r2", "r3", "r4"].map((request) => outcomeOf(`o-${request}`, request, "t1")),
  ]);
  expect(report.interleaving).toMatchObject({ units: 1, oneArmImpressions: 1 });
  expect(report.interleaving?.metrics[0]).toMatchObject({ wins: 1, losses: 0 });
  expect(report.warnings.join()).toContain("1 answer was one arm's list alone");
});

test("where less is better, the arm with less credit is preferred; without data nothing can be said", async () => {
  const units = Array.from({ length: 30 }, (_, i) => `u${i}`);
  const skips = experimentOf({
    ...experiment,
    metrics: [{ ...completions, id: "skips", outcome: "skip", goal: "decrease" }],
  });
  const turned = [["control", true], ["kd", true], ...both.slice(2)] as const;
  const records = units.flatMap((unit, i) => [
    drafted(`r-${unit}`, unit, i % 2 === 0 ? both : turned),
    outcomeOf(`o-${unit}`, `r-${unit}`, i % 2 === 0 ? "t1" : "t2", "skip"),
  ]);
  const report = await analysisOf(records, skips);
  expect(report.verdict).toMatchObject({
    kind: "worse",
    sentence: expect.stringMatching(
      /^control is preferred to kd on skips: 100.0 % of 30 units with a preference gave kd more \(95 % interval \d\d\.\d % to 100.0 %, however often one looks\)\.$/,
    ),
  });
  expect(report.plan?.kind).toBe("always-valid");
  expect(renderReport(report)).toContain("control is preferred to kd on skips");
  const planned = (units: number) => analysisOf(records, { ...skips, plan: { kind: "fixed", units } });
  expect((await planned(31)).verdict).toEqual({
    kind: "too-early",
    sentence: "Too early for a verdict.",
    reasons: ["The plan is one look at 31 units, of which 30 are there."],
  });
  expect((await planned(30)).verdict?.sentence).toContain("(95 % interval 88.6 % to 100.0 %).");
  const nothing = await analysisOf([]);
  expect(nothing.interleaving).toMatchObject({ units: 0, competitiveShare: null });
  expect(renderReport(nothing)).toContain("Nothing can be said: no list was drafted yet.");
});

test("lists in which one arm always picks first, or picks more, are no ground for a verdict", async () => {
  const listsOf = async (slots: readonly (readonly [Team, boolean])[]) =>
    analysisOf(
      Array.from({ length: 30 }, (_, i) => [
        drafted(`r${i}`, `u${i}`, slots),
        outcomeOf(`o${i}`, `r${i}`, "t1"),
      ]).flat(),
    );
  const first = await listsOf(both);
  expect(first.verdict?.kind).toBe("unhealthy");
  expect(first.health?.checks.map(({ id, ok }) => [id, ok])).toEqual([
    ["first-picks", false],
    ["taking-turns", true],
    ["competitive-places", true],
  ]);
  expect(first.verdict?.reasons[0]).toContain("kd picked first in 30 lists, control in 0");
  const more = await listsOf([...both, ["kd", true]]);
  expect(more.health?.checks.map(({ ok }) => ok)).toEqual([false, false, true]);
});

test("lists that never differed say so", async () => {
  const same = [
    ["kd", false],
    ["control", false],
  ] as const;
  const report = await analysisOf([drafted("r1", "u1", same), outcomeOf("o1", "r1", "t1")]);
  expect(report.interleaving).toMatchObject({
    competitiveShare: 0,
    metrics: [{ sign: null, alwaysValid: null }],
  });
  expect(report.warnings).toContain("completions: no preference, since the arms' lists never differed.");
});

const slot = fc.tuple(fc.constantFrom<Team>("kd", "control", undefined), fc.boolean());
const randomLists = fc.array(
  fc.record({
    unit: fc.integer({ min: 0, max: 6 }).map((n) => `u${n}`),
    list: fc.integer({ min: 0, max: 2 }).map((n) => `list${n}`),
    slots: fc.array(slot, { minLength: 1, maxLength: 4 }),
    done: fc.array(fc.tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: -2, max: 9 })), {
      maxLength: 5,
    }),
  }),
  { maxLength: 25 },
);

const shownAt = Date.parse("2026-11-22T12:00:00.000Z");

/** As the metric's filter and window say, of the n-th outcome, n + 1 seconds after its list. */
function isCounted(metric: string, item: number, value: number, n: number): boolean {
  if (metric === "few") return value > 3 && item <= 2;
  return metric !== "early" || n + 1 <= 3;
}

test("is what a reader of the records finds, unit by unit", async () => {
  const metrics = [
    completions,
    { ...completions, id: "any", aggregate: "any" as const },
    { ...completions, id: "sum", aggregate: "sum" as const },
    { ...completions, id: "few", filter: "outcome.value > 3.0 && item.position <= 2" },
    { ...completions, id: "early", window: "3s" },
    {
      ...{ ...completions, id: "per-request", type: "ratio" as const },
      denominator: { aggregate: "requests" as const },
    },
  ];
  await fc.assert(
    fc.asyncProperty(randomLists, async (lists) => {
      const records = lists.flatMap(({ unit, list, slots, done }, i) => [
        drafted(`r${i}`, unit, slots, list),
        ...done.map(([item, value], n) => ({
          ...outcomeOf(`o${i}-${n}`, `r${i}`, `t${item}`, "completion", value),
          occurredAt: shownAt + (n + 1) * 1_000,
        })),
      ]);
      const { interleaving } = await analysisOf(records, { ...experiment, metrics });
      const units = Map.groupBy(lists, ({ unit }) => unit);
      const creditOf = (unit: string, team: Team, { id, aggregate }: Metric): number => {
        const values = (units.get(unit) ?? []).flatMap(({ slots, done }) =>
          done
            .filter(([item, value], n) => isCounted(id, item, value, n))
            .filter(([item]) => slots[item - 1]?.[0] === team && slots[item - 1]?.[1] === true)
            .map(([, value]) => value),
        );
        if (aggregate === "sum")
          return Math.max(
            0,
            values.reduce((sum, value) => sum + value, 0),
          );
        return aggregate === "any" ? Math.min(1, values.length) : values.length;
      };
      const longest = (unit: string, of: (slots: readonly (readonly [Team, boolean])[]) => number): number =>
        [...Map.groupBy(units.get(unit) ?? [], ({ list }) => list).values()]
          .map((pages) => Math.max(...pages.map(({ slots }) => of(slots))))
          .reduce((sum, most) => sum + most, 0);
      for (const [i, metric] of metrics.entries()) {
        const sums = interleavingSums(
          [...units.keys()].map((unit) => ({
            first: creditOf(unit, "kd", metric),
            second: creditOf(unit, "control", metric),
            slots: longest(unit, (slots) => slots.length),
            competitive: longest(unit, (slots) => slots.filter(([, competitive]) => competitive).length),
          })),
        );
        const [sign, preference] = [signTest(sums), preferenceTest(sums, 0.05)];
        const found = interleaving?.metrics[i];
        expect(interleaving).toMatchObject({
          units: sums.units,
          slots: sums.slots,
          competitiveSlots: sums.competitive,
        });
        expect(found).toMatchObject({ wins: sums.winsFirst, losses: sums.winsSecond });
        expect(found?.sign).toEqual(sign.ok ? sign.value : null);
        expect(found?.preference?.estimate ?? null).toEqual(
          preference.ok ? expect.closeTo(preference.value.estimate, 12) : null,
        );
      }
    }),
    { numRuns: 8 },
  );
});

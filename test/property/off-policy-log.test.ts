import { createHash } from "node:crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { AnalysisReport } from "../../src/analysis/analysis.ts";
import type { LogRecord } from "../../src/domain/outcome-log.ts";
import { offPolicy } from "../../src/statistics/statistics.ts";
import {
  completions,
  counterfactualOf,
  experimentOf,
  impressionOf,
  outcomeOf,
} from "../support/log-records.ts";
import {
  type LoggedDecision,
  mergeOffPolicySums,
  noOffPolicySums,
  offPolicySumsOf,
} from "../support/logged-decisions.ts";
import { analysisOfRecords } from "../support/logged-files.ts";

const noon = Date.parse("2026-11-22T12:00:00.000Z");
const day = 86_400_000;
const experiment = experimentOf({
  counterfactual: { share: 0.5, topK: 3 },
  arms: [
    { id: "control", control: true, weight: 3, model: { name: "home-control" } },
    { id: "kd", control: false, weight: 1, model: { name: "home-kd" } },
  ],
  metrics: [
    completions,
    { ...completions, id: "seconds", outcome: "play", aggregate: "sum" },
    { ...completions, id: "per-request", type: "ratio", denominator: { aggregate: "requests" } },
    {
      ...{ ...completions, id: "long", outcome: "play", aggregate: "sum", window: "1d" },
      filter: "outcome.value > 50.0 && item.position == 2",
    },
    {
      ...{ ...completions, id: "per-play", type: "ratio" },
      denominator: { outcome: "play", aggregate: "count" },
    },
  ],
});

interface Asked {
  readonly unit: number;
  readonly at: number;
  readonly seen: "same" | "differing" | "unknown";
  readonly completions: number;
  readonly seconds: number;
}

/** Of three units in four control. */
const armOf = (unit: number): "control" | "kd" => (unit % 4 === 0 ? "kd" : "control");

function recordsOf(requests: readonly Asked[]): LogRecord[] {
  return requests.flatMap(({ unit, at, seen, completions: times, seconds }, i) => {
    const arm = armOf(unit);
    const propensity = arm === "kd" ? 0.25 : 0.75;
    const shown = impressionOf(`r${i}`, `u${unit}`, arm, undefined, { assignment: { propensity } });
    const compared = {
      arm,
      other: arm === "kd" ? "control" : "kd",
      otherIds: ["t1", "t2", "t3"],
      agreeing: seen === "same" ? 3 : 1,
    };
    return [
      { ...shown, at: noon + at * day },
      ...(seen === "unknown" ? [] : [counterfactualOf(`r${i}`, compared)]),
      ...Array.from({ length: times }, (_, n) => outcomeOf(`c${i}-${n}`, `r${i}`, "t1")),
      { ...outcomeOf(`p${i}`, `r${i}`, "t2", "play", seconds), occurredAt: noon + at * day + 1_000 },
    ];
  });
}

function analysisOf(
  records: readonly LogRecord[],
  weights: readonly (readonly [string, number])[],
  changed = experiment,
): Promise<AnalysisReport> {
  const designs = { policies: [new Map(weights)] };
  return analysisOfRecords(changed, records, new Date(noon), designs);
}

const halves = Array.from({ length: 1_000 }, (_, unit) =>
  Number(createHash("md5").update(`u${unit}`).digest("hex") < "8"),
);
const halfOf = (unit: number): number => halves[unit] as number;

/** What a request earns of each metric, of which it has a part; `long` for a day after the unit's first request. */
const rewards: readonly ((one: Asked, first: number) => number)[] = [
  (one) => one.completions,
  (one) => one.seconds,
  (one) => one.completions,
  (one, first) => (one.seconds > 50 && one.at - first < 1 ? one.seconds : 0),
];

/** The decisions of each unit, read off request by request. */
function expectedOf(requests: readonly Asked[], toKd: number, metric: number) {
  const firsts = new Map<number, number>();
  for (const { unit, at } of requests) firsts.set(unit, Math.min(firsts.get(unit) ?? at, at));
  const rewardOf = (one: Asked) =>
    (rewards[metric] as (typeof rewards)[number])(one, firsts.get(one.unit) as number);
  const target = { control: 1 - toKd, kd: toKd };
  const meanOf = (rows: readonly Asked[]): number | undefined =>
    rows.length === 0 ? undefined : rows.reduce((sum, row) => sum + rewardOf(row), 0) / rows.length;
  const models = new Map<string, number | undefined>();
  const modelOf = (arm: "control" | "kd", asked: Asked): number | undefined => {
    const key = `${arm} ${halfOf(asked.unit)} ${asked.at}`;
    if (!models.has(key)) models.set(key, modelled(arm, asked));
    return models.get(key);
  };
  const modelled = (arm: "control" | "kd", asked: Asked): number | undefined => {
    const others = requests.filter(
      (one) => armOf(one.unit) === arm && halfOf(one.unit) !== halfOf(asked.unit),
    );
    return meanOf(others.filter(({ at }) => at === asked.at)) ?? meanOf(others);
  };
  const decisionOf = (asked: Asked): LoggedDecision => {
    const arm = armOf(asked.unit);
    const reward = rewardOf(asked);
    if (asked.seen === "same")
      return { propensity: 1, target: 1, reward, unsupported: 0, model: { logged: 0, target: 0 } };
    const logged = target[arm] === 0 ? 0 : modelOf(arm, asked);
    const parts = (["control", "kd"] as const).filter((one) => target[one] > 0);
    const expected = parts.map((one) => modelOf(one, asked));
    const decision = { propensity: arm === "kd" ? 0.25 : 0.75, target: target[arm], reward, unsupported: 0 };
    if (logged === undefined || expected.includes(undefined)) return decision;
    const sum = parts.reduce((all, one, i) => all + target[one] * (expected[i] as number), 0);
    return { ...decision, model: { logged, target: sum } };
  };
  const byUnit = Map.groupBy(requests, ({ unit }) => unit);
  return offPolicy(
    [...byUnit.values()]
      .map((rows) => offPolicySumsOf(rows.map(decisionOf)))
      .reduce(mergeOffPolicySums, noOffPolicySums),
  );
}

const asked: fc.Arbitrary<Asked> = fc.record({
  // Without bias: first and last units would be all that a policy is estimated by.
  unit: fc.noBias(fc.integer({ min: 0, max: 999 })),
  at: fc.integer({ min: 0, max: 2 }),
  seen: fc.constantFrom("same", "differing", "unknown"),
  completions: fc.integer({ min: 0, max: 2 }),
  seconds: fc.integer({ min: 0, max: 1_000 }).map((n) => n / 7),
});

test("off-policy estimates are what a reader of the records finds, decision by decision", async () => {
  await fc.assert(
    fc.asyncProperty(
      // With a bias most would be of a few units, of which nothing can be said.
      fc.noBias(fc.array(asked, { minLength: 700, maxLength: 900, size: "max" })),
      fc.constantFrom(0, 0.5, 0.8),
      async (requests, toKd) => {
        const { offPolicy: found, warnings } = await analysisOf(recordsOf(requests), [
          ["control", 1 - toKd],
          ["kd", toKd],
        ]);
        const [policy] = found?.policies ?? [];
        expect(policy?.metrics[0]?.doublyRobust).not.toBeNull();
        expect(policy?.metrics.map(({ metric }) => metric)).toEqual(
          experiment.metrics.slice(0, 4).map(({ id }) => id),
        );
        expect(warnings.join()).toContain("Policies: per-play is left out");
        for (const i of rewards.keys()) {
          const expected = expectedOf(requests, toKd, i);
          expect(policy?.effectiveUnits).toBeCloseTo(expected.effectiveUnits, 8);
          expect(policy?.effectiveRequests).toBeCloseTo(expected.effectiveDecisions, 8);
          expect(policy?.largestWeight).toBeCloseTo(expected.largestWeight, 12);
          for (const kind of ["ips", "snips", "doublyRobust"] as const) {
            const [value, wanted] = [policy?.metrics[i]?.[kind], expected[kind]];
            expect(value === null).toBe(!wanted.ok);
            expect(value?.estimate ?? 0).toBeCloseTo(wanted.ok ? wanted.value.value : 0, 9);
            expect(value?.standardError ?? 0).toBeCloseTo(
              wanted.ok ? Math.sqrt(wanted.value.variance) : 0,
              7,
            );
          }
        }
      },
    ),
    { numRuns: 3, endOnFailure: true },
  );
});

test("a policy of an arm that nobody gets, or that leaves few units, is refused with the reason", async () => {
  const few = Array.from({ length: 40 }, (_, unit) => ({
    unit,
    at: 0,
    seen: "unknown" as const,
    completions: 1,
    seconds: 1,
  }));
  const refused = await analysisOf(recordsOf(few), [["kd", 1]]);
  expect(refused.offPolicy?.policies[0]).toMatchObject({
    weights: { control: 0, kd: 1 },
    requests: 40,
    units: 40,
    metrics: [{ ips: null, snips: null, doublyRobust: null }, { ips: null }, { ips: null }, { ips: null }],
  });
  expect(refused.warnings.join()).toContain(
    "Policy kd=1, completions: its weights leave fewer than 100 effective units",
  );
  const arms = experiment.arms.map((arm) => ({ ...arm, weight: arm.control ? 1 : 0 }));
  const none = await analysisOf(recordsOf(few.filter(({ unit }) => unit % 4 > 0)), [["kd", 1]], {
    ...experiment,
    arms,
  });
  expect(none.offPolicy?.policies[0]).toMatchObject({ unsupportedShare: 1 });
  expect(none.warnings.join()).toContain("it takes an arm that no unit gets");
});

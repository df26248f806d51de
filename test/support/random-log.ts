/** Logs in which everything happens that an analysis has a rule for, and what those rules make of them, unit by unit. */
import fc from "fast-check";
import type { Experiment, Metric } from "../../src/domain/experiment.ts";
import type { Impression } from "../../src/domain/impression.ts";
import { type Outcome, userOf, userRequestId } from "../../src/domain/outcome.ts";
import type { LogRecord } from "../../src/domain/ports.ts";
import { completions, experimentOf, impressionOf, outcomeOf } from "./log-records.ts";

const minute = 60_000;
const windowMinutes = 30;
const noon = Date.parse("2026-11-22T12:00:00.000Z");

const metric = (changes: Partial<Metric>): Metric => ({ ...completions, role: "secondary", ...changes });

export const randomExperiment: Experiment = experimentOf({
  phase: 2,
  attributionWindow: `${windowMinutes}m`,
  metrics: [
    completions,
    metric({ id: "seconds", outcome: "play", aggregate: "sum" }),
    metric({ id: "liked", type: "proportion", outcome: "like", aggregate: "any" }),
    metric({ id: "any-play", outcome: "play", aggregate: "any" }),
  ],
});

const few = (prefix: string, count: number): fc.Arbitrary<string> =>
  fc.integer({ min: 0, max: count - 1 }).map((n) => `${prefix}${n}`);

const minutesAfterNoon = (from: number, to: number): fc.Arbitrary<number> =>
  fc.integer({ min: from * minute, max: to * minute }).map((ms) => noon + ms);

const impression: fc.Arbitrary<Impression> = fc
  .record({
    request: few("r", 30),
    unit: fc.integer({ min: 0, max: 19 }),
    // Mostly the unit's own; two in thirty are not.
    misplaced: fc.integer({ min: 0, max: 29 }),
    items: fc.uniqueArray(few("t", 3), { maxLength: 3, size: "max" }),
    at: minutesAfterNoon(0, 40),
    assignment: fc.record({
      phase: fc.constantFrom(2, 2, 2, 2, 1),
      overridden: fc.integer({ min: 0, max: 19 }).map((n) => n === 0),
      experiment: fc.constantFrom("home-kd", "home-kd", "home-kd", "other"),
    }),
    isDegraded: fc.boolean(),
  })
  .map(({ request, unit, misplaced, items, at, assignment, isDegraded }) => {
    const own = unit % 2 === 0 ? "control" : "kd";
    const arm = misplaced === 0 ? "gone" : misplaced === 1 ? "kd" : own;
    const model = isDegraded ? { model: undefined } : {};
    return { ...impressionOf(request, `u${unit}`, arm, items, { assignment, ...model }), at };
  });

const outcome: fc.Arbitrary<Outcome> = fc
  .record({
    id: few("o", 300),
    asked: fc.oneof(
      { weight: 4, arbitrary: fc.tuple(few("r", 33), few("t", 3)) },
      { weight: 1, arbitrary: fc.tuple(few("u", 22).map(userRequestId), fc.constant("")) },
    ),
    type: fc.constantFrom("completion", "play", "like", "skip"),
    value: fc.oneof(
      fc.integer({ min: 0, max: 3 }),
      fc.integer({ min: -1e6, max: 1e6 }).map((n) => n / 7),
      fc.constantFrom(0.1, 0.2, 1e12 + 0.3, 1e-9),
    ),
    at: minutesAfterNoon(-10, 90),
  })
  .map(({ id, asked: [request, item], type, value, at }) => ({
    ...outcomeOf(id, request, item, type, value),
    occurredAt: at,
  }));

/** Some segments, each in the order of its log. */
export const randomLog: fc.Arbitrary<LogRecord[][]> = fc.array(
  fc.array(
    fc.oneof<fc.MaybeWeightedArbitrary<LogRecord>[]>(
      { weight: 1, arbitrary: impression },
      { weight: 4, arbitrary: outcome },
    ),
    {
      maxLength: 100,
      size: "max",
    },
  ),
  { minLength: 1, maxLength: 3, size: "max" },
);

export interface Expected {
  readonly arms: readonly { readonly arm: string; readonly units: number; readonly impressions: number }[];
  readonly excludedUnits: number;
  readonly unmatchedOutcomes: number;
  readonly lateOutcomes: number;
  /** `[metrics][arms]`, the values of the arm's units in any order. */
  readonly values: readonly (readonly (readonly number[])[])[];
}

/** The rules of docs/statistics.md read off one by one, record by record, for `randomExperiment`. */
export function expectedOf(segments: readonly (readonly LogRecord[])[]): Expected {
  const { id, phase, arms, metrics } = randomExperiment;
  const known = arms.map((arm) => arm.id);
  const assignmentOf = (one: Impression) => one.assignments.find(({ experiment }) => experiment === id);
  const impressions = segments.flat().filter((record) => record.kind === "impression");
  // Within a segment outcomes stand by their own clocks.
  const outcomes = segments.flatMap((records) =>
    records
      .filter((record) => record.kind === "outcome")
      .toSorted((one, other) => one.occurredAt - other.occurredAt),
  );
  const forced = new Set<string>();
  const first = new Map<string, { unit: string; arm: string; items: Set<string>; at: number }>();
  for (const one of impressions) {
    const assignment = assignmentOf(one);
    if (assignment?.phase !== phase) continue;
    if (assignment.overridden) forced.add(assignment.unit);
    else if (known.includes(assignment.arm) && !first.has(one.requestId)) {
      const items = new Set(one.items.map((item) => item.id));
      first.set(one.requestId, { unit: assignment.unit, arm: assignment.arm, items, at: one.at });
    }
  }
  const elsewhere = new Set(impressions.map(({ requestId }) => requestId));
  const units = new Map<
    string,
    { arms: Set<string>; impressions: number; exposed: number; did: Outcome[]; late: number }
  >();
  for (const { unit, arm, at } of first.values()) {
    if (forced.has(unit)) continue;
    const seen = units.get(unit) ?? { arms: new Set(), impressions: 0, exposed: at, did: [], late: 0 };
    seen.arms.add(arm);
    seen.impressions += 1;
    seen.exposed = Math.min(seen.exposed, at);
    units.set(unit, seen);
  }
  let unmatchedOutcomes = 0;
  const ids = new Set<string>();
  for (const one of outcomes) {
    if (ids.has(one.outcomeId)) continue;
    ids.add(one.outcomeId);
    const user = userOf(one);
    const asked = first.get(one.requestId);
    if (user === undefined && asked === undefined) {
      if (!elsewhere.has(one.requestId)) unmatchedOutcomes += 1;
      continue;
    }
    if (user === undefined && !asked?.items.has(one.itemId)) {
      unmatchedOutcomes += 1;
      continue;
    }
    const unit = units.get(user ?? asked?.unit ?? "");
    if (unit === undefined || (user !== undefined && one.occurredAt < unit.exposed)) continue;
    const since = user === undefined ? (asked?.at ?? 0) : unit.exposed;
    if (one.occurredAt <= since + windowMinutes * minute) unit.did.push(one);
    else if (one.type !== "skip") unit.late += 1;
  }
  const counted = [...units.values()].filter((unit) => unit.arms.size === 1);
  const ofArm = (arm: string) => counted.filter((unit) => unit.arms.has(arm));
  return {
    arms: known.map((arm) => ({
      arm,
      units: ofArm(arm).length,
      impressions: ofArm(arm).reduce((sum, unit) => sum + unit.impressions, 0),
    })),
    excludedUnits: units.size - counted.length,
    unmatchedOutcomes,
    lateOutcomes: counted.reduce((sum, unit) => sum + unit.late, 0),
    values: metrics.map(({ outcome: type, aggregate }) =>
      known.map((arm) =>
        ofArm(arm).map(({ did }) => {
          const values = did.filter((one) => one.type === type).map(({ value }) => value);
          if (aggregate === "sum") return values.reduce((sum, value) => sum + value, 0);
          return aggregate === "count" ? values.length : Number(values.length > 0);
        }),
      ),
    ),
  };
}

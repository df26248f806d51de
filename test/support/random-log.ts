/** Logs in which everything happens that an analysis has a rule for, and what those rules make of them, unit by unit. */
import fc from "fast-check";
import type { Experiment, Metric } from "../../src/domain/experiment.ts";
import type { Impression } from "../../src/domain/impression.ts";
import { type Outcome, userOf, userRequestId } from "../../src/domain/outcome.ts";
import type { LogRecord } from "../../src/domain/outcome-log.ts";
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
    metric({ id: "top", outcome: "play", filter: "outcome.value > 1.0 && item.position <= 2" }),
    metric({ id: "early", window: "20m" }),
    metric({ id: "mean-play", outcome: "play", aggregate: "mean" }),
    metric({ id: "last-play", outcome: "play", aggregate: "last", covariate: "5m" }),
    metric({ id: "capped", outcome: "play", aggregate: "sum", winsorise: 0.8 }),
    metric({ id: "per-request", type: "ratio", denominator: { aggregate: "requests" } }),
    metric({
      id: "likes-per-play",
      type: "ratio",
      outcome: "like",
      denominator: { outcome: "play", aggregate: "count", filter: "outcome.value > 0.0" },
    }),
    metric({ id: "median", type: "quantile", outcome: "play", aggregate: "quantile", quantile: 0.5 }),
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

/** What a unit is to the analysis of one metric; `numerator` is under its cap where there is one. */
export interface UnitRow {
  readonly numerator: number;
  readonly denominator: number;
  /** Numerator and denominator before the first exposure, and whether there was anything. */
  readonly past: readonly [numerator: number, denominator: number, none: number];
  /** The values of the outcomes that count. */
  readonly events: readonly number[];
}

export interface Expected {
  readonly arms: readonly { readonly arm: string; readonly units: number; readonly impressions: number }[];
  readonly excludedUnits: number;
  readonly unmatchedOutcomes: number;
  readonly lateOutcomes: number;
  /** `[metrics][arms]`, the arm's units in any order. */
  readonly rows: readonly (readonly (readonly UnitRow[])[])[];
}

interface Did {
  readonly type: string;
  readonly value: number;
  readonly at: number;
  readonly position: number | undefined;
}

interface Seen {
  readonly arms: Set<string>;
  impressions: number;
  exposed: number;
  began: number;
  readonly did: Did[];
  readonly past: Did[];
  late: number;
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
  const first = new Map<string, Impression>();
  const firstElsewhere = new Map<string, Impression>();
  const began = new Map<string, number>();
  const begins = (unit: string, at: number) => began.set(unit, Math.min(began.get(unit) ?? at, at));
  for (const one of impressions) {
    const assignment = assignmentOf(one);
    if (assignment === undefined) {
      if (!firstElsewhere.has(one.requestId)) firstElsewhere.set(one.requestId, one);
      continue;
    }
    if (assignment.phase === phase && assignment.overridden) forced.add(assignment.unit);
    const counts = assignment.phase === phase && !assignment.overridden && known.includes(assignment.arm);
    if (counts && first.has(one.requestId)) continue;
    if (counts) first.set(one.requestId, one);
    begins(assignment.unit, one.at);
  }
  const elsewhere = new Set(impressions.map(({ requestId }) => requestId));
  const units = new Map<string, Seen>();
  for (const one of first.values()) {
    const { unit, arm } = assignmentOf(one) as NonNullable<ReturnType<typeof assignmentOf>>;
    if (forced.has(unit)) continue;
    const seen = units.get(unit) ?? {
      arms: new Set(),
      impressions: 0,
      exposed: one.at,
      began: began.get(unit) as number,
      did: [],
      past: [],
      late: 0,
    };
    seen.arms.add(arm);
    seen.impressions += 1;
    seen.exposed = Math.min(seen.exposed, one.at);
    units.set(unit, seen);
  }
  let unmatchedOutcomes = 0;
  const ids = new Set<string>();
  const didOf = ({ type, value, occurredAt }: Outcome, item?: { readonly position: number }): Did => ({
    type,
    value,
    at: occurredAt,
    position: item?.position,
  });
  for (const one of outcomes) {
    if (ids.has(one.outcomeId)) continue;
    ids.add(one.outcomeId);
    const user = userOf(one);
    if (user !== undefined) {
      const unit = units.get(user);
      if (unit === undefined) continue;
      if (one.occurredAt < unit.began) unit.past.push(didOf(one));
      if (one.occurredAt < unit.exposed) continue;
      if (one.occurredAt <= unit.exposed + windowMinutes * minute) unit.did.push(didOf(one));
      else if (one.type !== "skip") unit.late += 1;
      continue;
    }
    const before = firstElsewhere.get(one.requestId);
    const its = before === undefined ? undefined : units.get(before.userId);
    if (before !== undefined && its !== undefined && before.at < its.began && one.occurredAt < its.began) {
      its.past.push(
        didOf(
          one,
          before.items.find((item) => item.id === one.itemId),
        ),
      );
    }
    const asked = first.get(one.requestId);
    const item = asked?.items.find((shown) => shown.id === one.itemId);
    if (asked === undefined || item === undefined) {
      if (asked !== undefined || !elsewhere.has(one.requestId)) unmatchedOutcomes += 1;
      continue;
    }
    const unit = units.get(assignmentOf(asked)?.unit ?? "");
    if (unit === undefined) continue;
    if (one.occurredAt <= asked.at + windowMinutes * minute) unit.did.push(didOf(one, item));
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
    rows: metrics.map((metric) => {
      const rows = new Map(counted.map((unit) => [unit, rowOf(metric, unit)]));
      const cap = capped(
        metric,
        [...rows.values()].map(({ numerator }) => numerator),
      );
      const pastCap = capped(
        metric,
        [...rows.values()].map(({ past }) => past[0]),
      );
      return known.map((arm) =>
        ofArm(arm).map((unit) => {
          const { numerator, past, ...rest } = rows.get(unit) as UnitRow;
          return {
            ...rest,
            numerator: Math.min(numerator, cap),
            past: [Math.min(past[0], pastCap), past[1], past[2]] as const,
          };
        }),
      );
    }),
  };
}

/** The filters of `randomExperiment`, by their text. */
const filters: Readonly<Record<string, (one: Did) => boolean>> = {
  "outcome.value > 1.0 && item.position <= 2": ({ value, position }) =>
    value > 1 && position !== undefined && position <= 2,
  "outcome.value > 0.0": ({ value }) => value > 0,
};

function rowOf(metric: Metric, { did, past, exposed, began, impressions }: Seen): UnitRow {
  const { outcome, aggregate, filter, window, denominator, covariate } = metric;
  const until = window === undefined ? Number.POSITIVE_INFINITY : exposed + 20 * minute;
  const recent = past.filter(({ at }) => covariate === undefined || at >= began - 5 * minute);
  const now = did.filter(({ at }) => at <= until);
  const below = (of: readonly Did[]): number => {
    if (denominator === undefined) return 0;
    if (denominator.aggregate === "requests") return impressions;
    return foldOf(of, denominator.outcome ?? "", "count", denominator.filter);
  };
  return {
    numerator: foldOf(now, outcome, aggregate, filter),
    denominator: below(now),
    past: [
      foldOf(recent, outcome, aggregate, filter),
      denominator?.aggregate === "requests" ? 0 : below(recent),
      Number(past.every(({ type }) => type === "skip")),
    ],
    events: ofMetric(now, outcome, filter).map(({ value }) => value),
  };
}

function ofMetric(did: readonly Did[], outcome: string, filter: string | undefined): readonly Did[] {
  const passes = filter === undefined ? () => true : (filters[filter] as (one: Did) => boolean);
  return did.filter((one) => one.type === outcome && passes(one));
}

function foldOf(
  did: readonly Did[],
  outcome: string,
  aggregate: Metric["aggregate"],
  filter: string | undefined,
): number {
  const all = ofMetric(did, outcome, filter);
  const sum = all.reduce((total, { value }) => total + value, 0);
  switch (aggregate) {
    case "sum":
      return sum;
    case "mean":
      return all.length === 0 ? 0 : sum / all.length;
    case "any":
      return Number(all.length > 0);
    case "last":
      return all.toSorted((a, b) => a.at - b.at || a.value - b.value).at(-1)?.value ?? 0;
    default:
      return all.length;
  }
}

/** The least value that no more than `1 - winsorise` of the units are above. */
function capped({ winsorise }: Metric, values: readonly number[]): number {
  if (winsorise === undefined || values.length === 0) return Number.POSITIVE_INFINITY;
  const sorted = values.toSorted((a, b) => a - b);
  return sorted.find((_, i) => i + 1 >= winsorise * values.length) as number;
}

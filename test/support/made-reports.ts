/**
 * Whole reports from made units, with the statistics that an analysis uses: what the page and the terminal show of a
 * healthy experiment, of one whose slow arm lost units, and of one that somebody looked at before its end.
 * The same seed makes the same report. The one that is taken when none is given was picked: with it the early look seems
 * to have found something, as it does far more often than once in twenty for whoever looks every day.
 */
import { assembleReport } from "../../src/analysis/assemble.ts";
import { horizonOf } from "../../src/analysis/plan.ts";
import type { AnalysisReport, Comparison } from "../../src/analysis/report.ts";
import type { SegmentsReport } from "../../src/designs/design-sections.ts";
import type { Random } from "../../src/domain/clock.ts";
import type { AnalysisPlan } from "../../src/domain/experiment.ts";
import { type Measure, measureOf } from "../../src/measurement/measure.ts";
import type { MetricPast } from "../../src/measurement/measured.ts";
import { randomStream } from "../../src/simulation/random-stream.ts";
import {
  alwaysValid,
  alwaysValidPreference,
  alwaysValidSign,
  competitiveShare,
  crossOf,
  difference,
  type Estimate,
  estimateOfMean,
  heterogeneity,
  holm,
  type JointMoments,
  jointMomentsOf,
  marginalOf,
  postStratified,
  preferenceTest,
  relativeLift,
  signTest,
  trendWithinUnits,
  uniformity,
} from "../../src/statistics/statistics.ts";
import { interleavingSums } from "./unit-credits.ts";

export type MadeStory = "healthy" | "unhealthy" | "peeked";

interface Story {
  readonly days: number;
  readonly unitsADay: number;
  /** Completions more a day, as a share; fading by `fade` a day. */
  readonly effect: number;
  readonly fade: number;
  /** Of the treated units, from `lostFrom` on. */
  readonly lost: number;
  readonly lostFrom: number;
  readonly plan: AnalysisPlan;
}

const stories: Record<MadeStory, Story> = {
  healthy: {
    days: 14,
    unitsADay: 600,
    effect: 0.06,
    fade: 0.0004,
    lost: 0,
    lostFrom: 0,
    plan: { kind: "always-valid", units: 8_000, end: "2026-11-15T00:00:00Z" },
  },
  unhealthy: {
    days: 14,
    unitsADay: 600,
    effect: 0.06,
    fade: 0,
    lost: 0.22,
    lostFrom: 6,
    plan: { kind: "always-valid", units: 8_000, end: "2026-11-15T00:00:00Z" },
  },
  peeked: {
    days: 5,
    unitsADay: 260,
    effect: 0.04,
    fade: 0,
    lost: 0,
    lostFrom: 0,
    plan: { kind: "fixed", units: 6_000, end: "2026-11-15T00:00:00Z" },
  },
};

const alpha = 0.05;
const asOf = new Date("2026-11-15T06:00:00Z");
const arms = ["control", "kd"] as const;
const countries = ["SE", "DE", "BR", "US"] as const;
const tenures = ["first month", "first year", "longer"] as const;
const noveltyDays = 7;
/** Of control's skip rate. */
const skipsMargin = 0.04;

interface Unit {
  readonly arm: number;
  readonly day: number;
  readonly country: number;
  readonly tenure: number;
  readonly past: number;
  /** Of each day since the first exposure, until the last day of the experiment. */
  readonly daily: readonly number[];
  readonly completions: number;
  readonly plays: number;
  readonly skips: number;
}

export function madeReport(kind: MadeStory, seed = "8"): AnalysisReport {
  const story = stories[kind];
  const units = madeUnits(story, randomStream(seed, kind));
  const plain = plainReport(units, story);
  const rows = units.map(rowOf);
  const metrics = plain.metrics.map((metric) => ({
    ...metric,
    definition: definitions[metric.metric],
    comparisons: metric.comparisons.map((one) => withPostStratified(one, metric.metric, units)),
  }));
  return {
    ...plain,
    metrics,
    overTime: [{ metric: "completions", arm: "kd", points: overTime(units, story) }],
    distributions: arms.map((arm, i) => ({
      metric: "completions",
      arm,
      buckets: bucketsOf(units.filter((unit) => unit.arm === i).map((unit) => unit.completions)),
    })),
    segments: segmentsOf(units),
    novelty: [noveltyOf(units, story)],
    calibration: calibrated(rows, randomStream(seed, kind, "salts")),
    tradeoff: {
      points: [
        { arm: "control", quality: meanOf(plain, 0), latencyMs: 41.8, cost: 1 },
        { arm: "kd", quality: meanOf(plain, 1), latencyMs: 12.6, cost: 0.31 },
      ],
      metric: "completions",
      costUnit: "as declared",
      verdict: null,
    },
  };
}

/** An interleaving of the same arms: units that prefer kd a little. */
export function madeInterleaving(): AnalysisReport {
  const random = randomStream("8", "interleaving");
  const sums = interleavingSums(
    Array.from({ length: 1_200 }, () => ({
      first: draws(0.6, random),
      second: draws(0.5, random),
      slots: 20,
      competitive: draws(6, random),
    })),
  );
  const sign = unwrap(signTest(sums));
  const { estimate, ciLow, ciHigh, pValue } = unwrap(preferenceTest(sums, alpha));
  const { winsFirst, winsSecond, units, slots, competitive } = sums;
  return {
    ...madeReport("healthy"),
    ...{ experiment: "home-il", metrics: [], overTime: undefined, distributions: undefined },
    ...{ segments: undefined, novelty: undefined, calibration: undefined, tradeoff: undefined },
    verdict: { kind: "better", sentence: "kd is preferred to control on completions.", reasons: [] },
    health: {
      ok: true,
      checks: [
        {
          ...{ id: "taking-turns", name: "Arms take turns", ok: true, pValue: null, likelyCause: null },
          detail: "in 2,400 of 2,400 lists",
        },
      ],
    },
    interleaving: {
      ...{ arm: "kd", versus: "control", units, lists: 2_400, oneArmImpressions: 3, slots },
      competitiveSlots: competitive,
      competitiveShare: unwrap(competitiveShare(sums)),
      metrics: [
        {
          ...{ metric: "completions", role: "primary", goal: "increase" },
          ...{ wins: winsFirst, losses: winsSecond, ties: sums.preference.count - winsFirst - winsSecond },
          ...{ sign, preference: { estimate, ciLow, ciHigh, pValue }, pValueAdjusted: sign.pValue },
          alwaysValid: {
            sign: unwrap(alwaysValidSign(sums, alpha)),
            preference: unwrap(alwaysValidPreference(sums, alpha, 2_000)),
          },
        },
      ],
    },
  };
}

const definitions: Record<string, string> = {
  completions: "Tracks played to their end within 7 days of being shown, a listener.",
  "skip rate": "Skips before 10 seconds as a share of plays.",
  plays: "Plays begun within 7 days of being shown, a listener.",
};

function madeUnits(story: Story, random: Random): Unit[] {
  const units: Unit[] = [];
  for (let day = 0; day < story.days; day++) {
    for (let n = 0; n < story.unitsADay; n++) {
      const unit = madeUnit(day, story, random);
      const lost = unit.arm === 1 && day >= story.lostFrom && random.next() < story.lost;
      if (!lost) units.push(unit);
    }
  }
  return units;
}

function madeUnit(day: number, story: Story, random: Random): Unit {
  const arm = random.next() < 0.5 ? 0 : 1;
  const country = Math.floor(random.next() * countries.length);
  const tenure = Math.floor(random.next() * tenures.length);
  // Listeners differ far more from each other than one differs from day to day.
  const appetite = 1.3 * Math.exp(0.5 * (gaussian(random) - 0.5));
  const past = draws(appetite * 7, random);
  const daily = Array.from({ length: story.days - day }, (_, since) => {
    const fresh = Math.max(0, story.effect - story.fade * since) * (country === 2 ? 2.2 : 1);
    return draws(appetite * (1 + (arm === 1 ? fresh : 0)), random);
  });
  const completions = daily.reduce((sum, value) => sum + value, 0);
  const skips = draws(appetite * daily.length * 0.3, random);
  return { arm, day, country, tenure, past, daily, completions, plays: completions + skips, skips };
}

/** Box and Muller. */
function gaussian(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next());
}

/** Poisson (Knuth), of a mean that is small. */
function draws(mean: number, random: Random): number {
  const floor = Math.exp(-mean);
  let value = 0;
  for (let left = random.next(); left > floor; left *= random.next()) value += 1;
  return value;
}

/** Completions, past, plays, skips. */
function rowOf(unit: Unit): number[] {
  return [unit.completions, unit.past, unit.plays, unit.skips];
}

function momentsOf(units: readonly Unit[], arm: number): JointMoments {
  return jointMomentsOf(units.filter((unit) => unit.arm === arm).map(rowOf), 4);
}

function plainReport(units: readonly Unit[], { plan }: Story): AnalysisReport {
  const moments = arms.map((_, arm) => momentsOf(units, arm));
  const measures: Measure[] = [
    measureOf(
      { metric: "completions", type: "mean", role: "primary", goal: "increase" },
      moments,
      { numerator: 0, covariates: [1] },
      { covariate: "completions_before", isNamed: true },
    ),
    measureOf(
      { metric: "skip rate", type: "ratio", role: "guardrail", goal: "decrease", margin: skipsMargin },
      moments,
      { numerator: 3, denominator: 2, covariates: [] },
      undefined,
    ),
    measureOf(
      { metric: "plays", type: "mean", role: "secondary", goal: "increase" },
      moments,
      { numerator: 2, covariates: [1] },
      { covariate: "completions_before", isNamed: true },
    ),
  ];
  return assembleReport({
    experiment: "home-kd",
    phase: 1,
    asOf,
    alpha,
    unit: "user",
    arms: arms.map((arm, i) => ({
      arm,
      units: units.filter((unit) => unit.arm === i).length,
      impressions: units.reduce((sum, unit) => sum + (unit.arm === i ? unit.plays : 0), 0),
    })),
    weights: [1, 1],
    control: 0,
    horizon: horizonOf(plan, units.length, asOf, alpha, 1),
    measures,
    pasts: [pastOf(units)],
    skewed: [],
    strata: {
      days: strataOf(units, (unit) => `day ${unit.day + 1}`),
      surfaces: [],
      latencies: [],
    },
    exposed: [],
    timings: [],
    excludedUnits: 0,
    unmatchedOutcomes: 0,
    lateOutcomes: 0,
    warnings: [],
  });
}

function pastOf(units: readonly Unit[]): MetricPast {
  const [treated, control] = estimates(units, 1);
  const covariates = arms.map((_, arm) =>
    jointMomentsOf(
      units.filter((unit) => unit.arm === arm).map(({ past }) => [past]),
      1,
    ),
  );
  return { metric: "completions", estimates: [control, treated], covariates };
}

function withPostStratified(comparison: Comparison, metric: string, units: readonly Unit[]): Comparison {
  if (metric === "skip rate") return comparison;
  const value = metric === "plays" ? 2 : 0;
  const strata = arms.map((_, arm) =>
    tenures.map((_, tenure) =>
      crossOf(
        jointMomentsOf(
          units
            .filter((unit) => unit.arm === arm && unit.tenure === tenure)
            .map((unit) => [1, rowOf(unit)[value] as number]),
          2,
        ),
        0,
        1,
      ),
    ),
  );
  const by = unwrap(postStratified(strata));
  const [control, treated] = by.arms as [Estimate, Estimate];
  const tested = unwrap(difference(treated, control, alpha));
  return {
    ...comparison,
    postStratified: {
      strata: by.strata,
      varianceReduction: by.varianceReduction,
      absolute: { estimate: tested.estimate, ciLow: tested.ciLow, ciHigh: tested.ciHigh },
      relative: unwrap(relativeLift(treated, control, alpha)),
      pValue: tested.pValue,
    },
  };
}

/** Treated first, as the statistics want it. */
function estimates(units: readonly Unit[], value: number): [Estimate, Estimate] {
  const [control, treated] = arms.map((_, arm) =>
    unwrap(estimateOfMean(marginalOf(momentsOf(units, arm), value))),
  ) as [Estimate, Estimate];
  return [treated, control];
}

function strataOf(
  units: readonly Unit[],
  name: (unit: Unit) => string,
): { name: string; units: readonly number[] }[] {
  return [...Map.groupBy(units, name)].map(([stratum, inside]) => ({
    name: stratum,
    units: arms.map((_, arm) => inside.filter((unit) => unit.arm === arm).length),
  }));
}

function overTime(
  units: readonly Unit[],
  story: Story,
): NonNullable<AnalysisReport["overTime"]>[0]["points"] {
  return Array.from({ length: story.days }, (_, day) => {
    const come = units.filter((unit) => unit.day <= day);
    const soFar = ({ daily, day: first }: Unit): number =>
      daily.slice(0, day - first + 1).reduce((sum, value) => sum + value, 0);
    const [control, treated] = arms.map((_, arm) => {
      const rows = come.filter((unit) => unit.arm === arm).map((unit) => [soFar(unit)]);
      return unwrap(estimateOfMean(marginalOf(jointMomentsOf(rows, 1), 0)));
    }) as [Estimate, Estimate];
    const tested = unwrap(difference(treated, control, alpha));
    const so = treated.units + control.units;
    const band = alwaysValid(tested, so, alpha, story.plan.units);
    return {
      day: new Date(Date.UTC(2026, 10, 1 + day)).toISOString().slice(0, 10),
      units: so,
      estimate: tested.estimate,
      ciLow: tested.ciLow,
      ciHigh: tested.ciHigh,
      alwaysValidLow: band.ciLow,
      alwaysValidHigh: band.ciHigh,
    };
  });
}

const bucketWidth = 4;
const bucketsEnd = 80;

function bucketsOf(values: readonly number[]): { from: number; to: number | null; units: number }[] {
  const buckets = new Array<number>(bucketsEnd / bucketWidth + 1).fill(0);
  for (const value of values) {
    const at = Math.min(buckets.length - 1, Math.floor(value / bucketWidth));
    buckets[at] = (buckets[at] as number) + 1;
  }
  return buckets.map((units, i) => ({
    from: i * bucketWidth,
    to: i === buckets.length - 1 ? null : (i + 1) * bucketWidth,
    units,
  }));
}

function segmentsOf(units: readonly Unit[]): NonNullable<AnalysisReport["segments"]> {
  const attributes = [
    { attribute: "country", names: countries, of: (unit: Unit) => unit.country },
    { attribute: "tenure", names: tenures, of: (unit: Unit) => unit.tenure },
  ];
  const tested = attributes.map(({ attribute, names, of }) => {
    const levels = names.map((level, at) => {
      const inside = units.filter((unit) => of(unit) === at);
      const [treated, control] = estimates(inside, 0);
      const { estimate, ciLow, ciHigh, standardError } = unwrap(difference(treated, control, alpha));
      return {
        standardError,
        level: {
          level,
          units: inside.length,
          absolute: { estimate, ciLow, ciHigh },
          relative: unwrap(relativeLift(treated, control, alpha)),
        },
      };
    });
    const test = unwrap(
      heterogeneity(
        levels.map(({ standardError, level }) => ({ estimate: level.absolute.estimate, standardError })),
      ),
    );
    return { attribute, levels: levels.map(({ level }) => level), test };
  });
  const adjusted = holm(tested.map(({ test }) => test.pValue));
  return tested.map(({ attribute, levels, test }, i): SegmentsReport => {
    const contrasts = holm(test.against.map(({ pValue }) => pValue));
    return {
      metric: "completions",
      arm: "kd",
      attribute,
      interaction: {
        statistic: test.statistic,
        degreesOfFreedom: test.degreesOfFreedom,
        pValue: test.pValue,
        pValueAdjusted: adjusted[i] as number,
      },
      levels: levels.map((level, at) => ({
        ...level,
        contrast: {
          estimate: test.against[at]?.estimate ?? 0,
          pValue: test.against[at]?.pValue ?? 1,
          pValueAdjusted: contrasts[at] ?? 1,
        },
      })),
    };
  });
}

function noveltyOf(units: readonly Unit[], story: Story): NonNullable<AnalysisReport["novelty"]>[0] {
  const length = Math.min(noveltyDays, story.days - 1);
  const followed = units.filter((unit) => unit.daily.length >= length);
  const moments = arms.map((_, arm) =>
    jointMomentsOf(
      followed.filter((unit) => unit.arm === arm).map((unit) => unit.daily.slice(0, length)),
      length,
    ),
  );
  const dayNumbers = Array.from({ length }, (_, day) => day);
  const days = dayNumbers.map((day) => {
    const [control, treated] = moments.map((one) => unwrap(estimateOfMean(marginalOf(one, day)))) as [
      Estimate,
      Estimate,
    ];
    const { estimate, ciLow, ciHigh } = unwrap(difference(treated, control, alpha));
    return { day, estimate, ciLow, ciHigh };
  });
  const [control, treated] = moments.map((one) => unwrap(trendWithinUnits(one, dayNumbers))) as [
    Estimate,
    Estimate,
  ];
  const { estimate, pValue } = unwrap(difference(treated, control, alpha));
  return { metric: "completions", arm: "kd", units: followed.length, days, trend: { estimate, pValue } };
}

const salts = 400;

function calibrated(
  rows: readonly (readonly number[])[],
  random: Random,
): NonNullable<AnalysisReport["calibration"]> {
  const pValues = Array.from({ length: salts }, () => {
    const drawn: [number[][], number[][]] = [[], []];
    for (const row of rows) drawn[random.next() < 0.5 ? 0 : 1].push([row[0] as number]);
    const [a, b] = drawn.map((values) =>
      unwrap(estimateOfMean(marginalOf(jointMomentsOf(values, 1), 0))),
    ) as [Estimate, Estimate];
    return unwrap(difference(a, b, alpha)).pValue;
  });
  const { histogram, statistic, pValue } = unwrap(uniformity(pValues));
  const tested = { statistic, pValue, pValueAdjusted: pValue };
  const falsePositives = pValues.filter((p) => p < alpha).length / salts;
  return {
    ...{ salts, units: rows.length, of: rows.length, histogram },
    ...{ uniformity: { statistic, pValue }, ok: pValue >= 0.01 },
    metrics: [{ metric: "completions", arm: "kd", histogram, uniformity: tested, falsePositives }],
  };
}

function meanOf(report: AnalysisReport, arm: number): number | null {
  return report.metrics[0]?.arms[arm]?.mean ?? null;
}

/** A made report has an answer to everything. */
function unwrap<T>(answer: { ok: true; value: T } | { ok: false; reason: string }): T {
  if (!answer.ok) throw new Error(answer.reason);
  return answer.value;
}

/** What a report says beside its numbers where all is well and kd is better: for those that are written out by hand. */
export const kdBetter = {
  experiment: "home-kd",
  phase: 1,
  alpha: 0.05,
  unit: "user",
  verdict: { kind: "better", sentence: "kd is better than control on completions.", reasons: [] },
  health: {
    ok: true,
    checks: [
      {
        id: "srm-phase",
        name: "Split of the phase",
        ok: true,
        pValue: 0.67,
        detail: "as promised",
        likelyCause: null,
      },
    ],
  },
  excludedUnits: 0,
  unmatchedOutcomes: 0,
  lateOutcomes: 0,
  warnings: [],
} satisfies Partial<AnalysisReport>;

/**
 * Reports as few experiments have them and some do: many arms and metrics, long names and names of right-to-left
 * scripts, one day, one unit, numbers that cannot be had, and numbers that should never have been there.
 */
import type { AnalysisReport, Comparison, MetricReport } from "../../src/analysis/analysis.ts";
import { madeReport } from "./made-reports.ts";

export const oddReports: Readonly<Record<string, () => AnalysisReport>> = {
  "twelve arms": () => manyArms(12),
  "forty metrics": () => manyMetrics(40),
  "long names": () =>
    renamed(
      (name) =>
        `${name}_${"of_all_listeners_within_seven_days_after_their_first_exposure".repeat(2)}_${name}`,
    ),
  "right-to-left names": () => renamed((name) => `${rightToLeft[name] ?? "מדד"} (7)`),
  "markup in names": () =>
    renamed((name) => `<b onclick="alert(1)">${name}</b>&amp;</svg><script>alert(2)</script>`),
  "control characters in names": () => renamed((name) => `${name}\u001b[31m\n\u202e${name}\u0007`),
  "one day": oneDay,
  "no numbers": withoutNumbers,
  "numbers that are none": notFinite,
  "one metric without an interval": withoutOneInterval,
};

export function oddReport(name: string): AnalysisReport {
  const make = oddReports[name];
  if (make === undefined) throw new Error(`no odd report "${name}"`);
  return make();
}

const rightToLeft: Readonly<Record<string, string>> = {
  completions: "השלמות",
  "skip rate": "معدل التخطي",
  plays: "تشغيل",
  kd: "מזוקק",
  control: "ביקורת",
  "home-kd": "בית",
  country: "البلد",
};

function renamed(nameOf: (name: string) => string): AnalysisReport {
  const names = new Set(["completions", "skip rate", "plays", "kd", "control", "home-kd", "country", "SE"]);
  const within = new RegExp(`\\b(${[...names].join("|")})\\b`, "gu");
  return mapped(madeReport("healthy"), (value, key) => {
    if (typeof value !== "string") return value;
    return key === "sentence" || key === "reasons"
      ? value.replaceAll(within, nameOf)
      : names.has(value)
        ? nameOf(value)
        : value;
  });
}

function manyArms(count: number): AnalysisReport {
  const made = madeReport("healthy");
  const [control, treated] = made.arms as [AnalysisReport["arms"][0], AnalysisReport["arms"][0]];
  const others = Array.from({ length: count - 1 }, (_, i) => `student-${i + 1}`);
  const again = <T extends { readonly arm: string }>(one: T, i: number): T =>
    shifted({ ...one, arm: others[i] ?? "" }, i);
  const copies = <T extends { readonly arm: string }>(of: readonly T[]): T[] => [
    ...of.filter(({ arm }) => arm === "control"),
    ...of.filter(({ arm }) => arm === "kd").flatMap((one) => others.map((_, i) => again(one, i))),
  ];
  const fast = { arm: "kd", quality: made.metrics[0]?.arms[1]?.mean ?? null, latencyMs: 12.6, cost: 0.31 };
  return {
    ...made,
    arms: [control, ...others.map((arm) => ({ ...treated, arm }))],
    srm: { ...made.srm, expected: Array.from({ length: count }, () => 1 / count) },
    metrics: made.metrics.map((metric) => ({
      ...metric,
      arms: copies(metric.arms),
      comparisons: copies(metric.comparisons),
    })),
    overTime: copies(made.overTime ?? []).slice(0, 3),
    distributions: copies(made.distributions ?? []),
    segments: copies(made.segments ?? []).slice(0, 2),
    novelty: copies(made.novelty ?? []).slice(0, 2),
    tradeoff: {
      ...{ metric: "completions", costUnit: "as declared", verdict: null },
      points: [
        { arm: "control", quality: made.metrics[0]?.arms[0]?.mean ?? null, latencyMs: 41.8, cost: 1 },
        ...others.map((arm, i) => ({ ...fast, arm, latencyMs: 10 + 2.5 * i, cost: 0.3 + 0.04 * i })),
      ],
    },
  };
}

/** Every interval moved a little, so that arms can be told apart. */
function shifted<T>(value: T, by: number): T {
  const factor = 1 - by / 8;
  return mapped(value, (inner) => {
    if (typeof inner !== "object" || inner === null || !("ciLow" in inner) || !("estimate" in inner))
      return inner;
    const { estimate, ciLow, ciHigh } = inner as Record<"estimate" | "ciLow" | "ciHigh", number>;
    const move = estimate * (factor - 1);
    return { ...inner, estimate: estimate + move, ciLow: ciLow + move, ciHigh: ciHigh + move };
  });
}

function manyMetrics(count: number): AnalysisReport {
  const made = madeReport("healthy");
  const [first] = made.metrics as [MetricReport];
  const secondary = Array.from({ length: count - 3 }, (_, i) => ({
    ...shifted(first, i),
    metric: `plays_on_surface_${i + 1}`,
    role: "secondary" as const,
  }));
  return { ...made, metrics: [...made.metrics, ...secondary] };
}

function oneDay(): AnalysisReport {
  const made = madeReport("healthy");
  return {
    ...made,
    overTime: (made.overTime ?? []).map((one) => ({ ...one, points: one.points.slice(0, 1) })),
    novelty: (made.novelty ?? []).map((one) => ({ ...one, days: one.days.slice(0, 1), trend: null })),
    segments: (made.segments ?? []).map((one) => ({
      ...one,
      levels: one.levels.slice(0, 1),
      interaction: null,
    })),
    distributions: (made.distributions ?? []).map((one) => ({
      ...one,
      buckets: [{ from: 0, to: null, units: 1 }],
    })),
    tradeoff: {
      ...{ metric: "completions", costUnit: "as declared", verdict: null },
      points: [{ arm: "control", quality: 1, latencyMs: 12, cost: null }],
    },
  };
}

const noTest = {
  ...{ absolute: null, relative: null, pValue: null, pValueAdjusted: null, cuped: null, alwaysValid: null },
  ...{ adjusted: { pValue: null, method: "none" } },
  ...{ fieller: undefined, postStratified: undefined, notWorse: undefined },
} satisfies Partial<Comparison>;

function withoutNumbers(): AnalysisReport {
  const made = madeReport("healthy");
  return {
    ...made,
    verdict: { kind: "open", sentence: "Nothing can be said: there is no data yet.", reasons: [] },
    arms: made.arms.map((arm) => ({ ...arm, units: 0, impressions: 0 })),
    srm: { ...made.srm, statistic: null, pValue: null },
    metrics: made.metrics.map((metric) => ({
      ...metric,
      arms: metric.arms.map((arm) => ({ ...arm, units: 0, mean: null, standardError: null })),
      comparisons: metric.comparisons.map((one) => ({ ...one, ...noTest })),
    })),
    health: {
      ok: true,
      checks: made.health.checks.map((check) => ({ ...check, ok: null, pValue: null })),
    },
    overTime: (made.overTime ?? []).map((one) => ({
      ...one,
      points: one.points.map(({ day }) => ({
        ...{ day, units: 0, estimate: null, ciLow: null, ciHigh: null },
        ...{ alwaysValidLow: null, alwaysValidHigh: null },
      })),
    })),
    distributions: (made.distributions ?? []).map((one) => ({
      ...one,
      buckets: one.buckets.map((bucket) => ({ ...bucket, units: 0 })),
    })),
    segments: (made.segments ?? []).map((one) => ({
      ...one,
      interaction: null,
      levels: one.levels.map((level) => ({
        ...level,
        units: 0,
        absolute: null,
        relative: null,
        contrast: null,
      })),
    })),
    novelty: (made.novelty ?? []).map((one) => ({ ...one, days: [], trend: null })),
    calibration: {
      ...{ salts: 0, units: 0, of: 0, histogram: [], uniformity: null, ok: null, metrics: [] },
    },
    tradeoff: {
      ...{ metric: "completions", costUnit: "as declared", verdict: null },
      points: made.arms.map(({ arm }) => ({ arm, quality: null, latencyMs: null, cost: null })),
    },
  };
}

function withoutOneInterval(): AnalysisReport {
  const made = madeReport("healthy");
  const metrics = made.metrics.map((metric, i) =>
    i === 0 ? metric : { ...metric, comparisons: metric.comparisons.map((one) => ({ ...one, ...noTest })) },
  );
  return { ...made, metrics };
}

/** No analysis should make such a report; whoever reads it must not see it as numbers all the same. */
function notFinite(): AnalysisReport {
  let at = 0;
  const odd = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  return mapped(madeReport("healthy"), (value, key) =>
    typeof value === "number" && oddKeys.has(key) ? (odd[at++ % odd.length] as number) : value,
  );
}

const oddKeys = new Set([
  "ciLow",
  "ciHigh",
  "mean",
  "pValue",
  "alwaysValidLow",
  "alwaysValidHigh",
  "quality",
  "statistic",
]);

function mapped<T>(value: T, change: (value: unknown, key: string) => unknown, key = ""): T {
  const changed = change(value, key);
  if (Array.isArray(changed)) return changed.map((one) => mapped(one, change, key)) as T;
  if (typeof changed !== "object" || changed === null) return changed as T;
  return Object.fromEntries(
    Object.entries(changed).map(([name, one]) => [name, mapped(one, change, name)]),
  ) as T;
}

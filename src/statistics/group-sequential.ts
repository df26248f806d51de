/**
 * A test with a handful of looks whose level is spent over them: tighter than an always-valid interval where the
 * largest sample is known. Bounds from a spending function (Lan, DeMets, Biometrika 70, 1983), solved numerically
 * (Jennison, Turnbull, "Group Sequential Methods with Applications to Clinical Trials", 2000, chapters 7 and 19).
 */
import { type Spending, spentAlpha } from "./alpha-spending.ts";
import { type Answer, answer, noAnswer } from "./estimate.ts";
import { criticalNormal } from "./normal.ts";
import { increasingRoot } from "./root.ts";
import { allPaths, massAbove, massBelow, type Paths, pathsWithin } from "./stagewise-density.ts";
import type { Interval } from "./welch.ts";

/** What must stand before the first look. `alpha` is that of all sides together. */
export interface SequentialPlan {
  readonly alpha: number;
  readonly sides: 1 | 2;
  readonly spending: Spending;
}

/** Looks in their order. */
export interface SequentialBounds {
  readonly alpha: number;
  readonly sides: 1 | 2;
  /** Information at each look as a share of the planned: units over planned units, where the spread stays the same. */
  readonly fractions: readonly number[];
  /** Stop where the statistic is above it, with two sides also where it is below its negative. */
  readonly bounds: readonly number[];
  /** Of alpha, with each look. */
  readonly spent: readonly number[];
}

/** `looks-too-close`: a look that adds less than a hundred-thousandth to the information, which the grid cannot tell apart. */
export type NoLooks = "no-looks" | "looks-out-of-order" | "looks-too-close";

/** No statistic is ever above it (p = 3e-89): the bound of a look that has next to nothing to spend. */
const largestBound = 20;

/** A look that may spend less than this has the bound that it would have alone, which is no lower than its own. */
const negligible = 1e-16;

const closest = 1e-5;

/**
 * The bounds of the looks that were taken, at whatever information they came. Looks may be added later without
 * changing the bounds of those before. Errors of the quadrature are below 1e-11.
 * @param ended the last look is the last of all: it spends what is left, however much or little information came.
 */
export function sequentialBounds(
  { alpha, sides, spending }: SequentialPlan,
  fractions: readonly number[],
  ended = false,
): Answer<SequentialBounds, NoLooks> {
  const unfit = unfitLooks(fractions);
  if (unfit !== undefined) return noAnswer(unfit);
  const bounds: number[] = [];
  const spent: number[] = [];
  let paths: Paths = allPaths;
  let before = 0;
  for (const [look, fraction] of fractions.entries()) {
    const isLast = ended && look === fractions.length - 1;
    const side = isLast ? alpha / sides : spentAlpha(spending, fraction, alpha / sides);
    const bound = boundFor(paths, fraction, { toSpend: side - before, before: before * sides });
    bounds.push(bound);
    spent.push(side * sides);
    before = side;
    const low = sides === 2 ? -bound : Number.NEGATIVE_INFINITY;
    const next = fractions[look + 1];
    if (next !== undefined) paths = pathsWithin(paths, fraction, { low, high: bound, drift: 0, next });
  }
  return answer({ alpha, sides, fractions, bounds, spent });
}

/** The bound above which the paths that are left have `toSpend`; those that are gone had `before`. */
function boundFor(
  paths: Paths,
  fraction: number,
  { toSpend, before }: { toSpend: number; before: number },
): number {
  if (toSpend <= 0) return largestBound;
  const alone = criticalNormal(toSpend);
  if (toSpend < negligible) return Math.min(largestBound, alone);
  const low = criticalNormal(Math.min(0.999, toSpend + before));
  return increasingRoot((z) => toSpend - massAbove(paths, fraction, z, 0), low, alone);
}

/** Of each look, the probability of stopping there. */
export interface Crossings {
  readonly above: readonly number[];
  /** All 0 with one side. */
  readonly below: readonly number[];
}

/**
 * @param drift the mean of the statistic at the planned end (fraction 1): effect over its standard error there.
 * @param lastLow below what the last look counts as below, where that is not the negative of its bound.
 */
export function crossings(
  { sides, fractions, bounds }: Pick<SequentialBounds, "sides" | "fractions" | "bounds">,
  drift: number,
  lastLow?: number,
): Crossings {
  const above: number[] = [];
  const below: number[] = [];
  let paths: Paths = allPaths;
  for (const [look, fraction] of fractions.entries()) {
    const high = bounds[look] as number;
    const low = sides === 2 ? -high : Number.NEGATIVE_INFINITY;
    above.push(massAbove(paths, fraction, high, drift));
    const next = fractions[look + 1];
    const counted = next === undefined ? (lastLow ?? low) : low;
    below.push(Number.isFinite(counted) ? massBelow(paths, fraction, counted, drift) : 0);
    if (next !== undefined) paths = pathsWithin(paths, fraction, { low, high, drift, next });
  }
  return { above, below };
}

/** The probability of stopping above a bound at any look. */
export function sequentialPower(design: SequentialBounds, drift: number): number {
  return sum(crossings(design, drift).above);
}

/** The drift that is found with probability `power` in (alpha, 1). */
export function driftForPower(design: SequentialBounds, power: number): number {
  return increasingRoot((drift) => sequentialPower(design, drift) - power, 0, fixedDrift(design, power) + 5);
}

/**
 * The largest sample of the design over that of a test with one look, same alpha and power: what peeking costs at most
 * (Jennison, Turnbull 2000, eq. 2.6).
 */
export function sampleInflation(design: SequentialBounds, power: number): number {
  return (driftForPower(design, power) / fixedDrift(design, power)) ** 2;
}

/**
 * The repeated confidence interval at a look: `estimate -+ bound SE`, which holds at all looks at once, whether the
 * experiment then stops or not (Jennison, Turnbull, "Interim Analyses: The Repeated Confidence Interval Approach",
 * JRSS B 51, 1989). It leaves zero out exactly where the bound is crossed. With one side its lower end has level alpha,
 * and so has its upper end.
 */
export function repeatedInterval(
  design: SequentialBounds,
  look: number,
  { estimate, standardError }: { readonly estimate: number; readonly standardError: number },
): Answer<Interval, "no-looks" | "no-variance" | "infinite"> {
  const bound = design.bounds[look];
  if (bound === undefined) return noAnswer("no-looks");
  if (standardError === 0) return noAnswer("no-variance");
  const halfWidth = bound * standardError;
  if (!Number.isFinite(estimate) || !Number.isFinite(halfWidth)) return noAnswer("infinite");
  return answer({ estimate, ciLow: estimate - halfWidth, ciHigh: estimate + halfWidth });
}

function fixedDrift({ alpha, sides }: SequentialBounds, power: number): number {
  return criticalNormal(alpha / sides) - criticalNormal(power);
}

function unfitLooks(fractions: readonly number[]): NoLooks | undefined {
  if (fractions.length === 0) return "no-looks";
  const steps = fractions.map((fraction, look) => 1 - (fractions[look - 1] ?? 0) / fraction);
  if (!fractions.every((fraction) => fraction > 0 && Number.isFinite(fraction))) return "looks-out-of-order";
  if (steps.some((step) => step <= 0)) return "looks-out-of-order";
  return steps.some((step) => step < closest) ? "looks-too-close" : undefined;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

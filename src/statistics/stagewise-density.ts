/**
 * The density of a test statistic on the paths that no look has stopped yet, carried from look to look by recursive
 * integration (Armitage, McPherson, Rowe, "Repeated Significance Tests on Accumulating Data", JRSS A 132, 1969;
 * Jennison, Turnbull, "Group Sequential Methods with Applications to Clinical Trials", 2000, eq. 19.4 to 19.6).
 *
 * At information fractions t_k the statistics have `Z_k ~ N(drift sqrt(t_k), 1)` and independent increments of
 * `B_k = Z_k sqrt(t_k)`, `B_k - B_(k-1) ~ N(drift (t_k - t_(k-1)), t_k - t_(k-1))`.
 */
import { gaussLegendre } from "./gauss-legendre.ts";
import { normalDensity, upperNormal } from "./normal.ts";

/** Standard deviations beyond which there is nothing left: 1e-19 of the probability. */
const reach = 9;

/** In standard deviations of the narrowest kernel: twenty nodes on it leave an error below 1e-13. */
const panelWidth = 2.5;

/** Where no path has been lost yet: B_0 = 0. */
export interface Paths {
  readonly fraction: number;
  readonly nodes: Float64Array;
  /** Of each node, its density times its weight. */
  readonly masses: Float64Array;
}

export const allPaths: Paths = { fraction: 0, nodes: Float64Array.of(0), masses: Float64Array.of(1) };

/** The probability of the paths that are left and of which Z at the look at `fraction` is above `bound`. */
export function massAbove(paths: Paths, fraction: number, bound: number, drift: number): number {
  const step = stepTo(paths, fraction, drift);
  let sum = 0;
  for (let at = 0; at < paths.nodes.length; at++) {
    sum +=
      (paths.masses[at] as number) *
      upperNormal((bound - step.mean(paths.nodes[at] as number)) / step.spread);
  }
  return sum;
}

/** Of which Z is below `bound`. */
export function massBelow(paths: Paths, fraction: number, bound: number, drift: number): number {
  const step = stepTo(paths, fraction, drift);
  let sum = 0;
  for (let at = 0; at < paths.nodes.length; at++) {
    sum +=
      (paths.masses[at] as number) *
      upperNormal((step.mean(paths.nodes[at] as number) - bound) / step.spread);
  }
  return sum;
}

/** The density of Z there at `z`. */
function densityAt(paths: Paths, fraction: number, z: number, drift: number): number {
  const { mean, spread, firstWithin, uReach } = stepTo(paths, fraction, drift);
  const centre = firstWithin(z);
  let sum = 0;
  for (let at = lowerBound(paths.nodes, centre - uReach); at < paths.nodes.length; at++) {
    const u = paths.nodes[at] as number;
    if (u > centre + uReach) break;
    sum += (paths.masses[at] as number) * normalDensity((z - mean(u)) / spread);
  }
  return sum / spread;
}

/**
 * The paths whose Z at `fraction` lies between `low` and `high`.
 * @param next the fraction of the look after it, if there is one: a close one needs a finer grid.
 */
export function pathsWithin(
  paths: Paths,
  fraction: number,
  { low, high, drift, next }: { low: number; high: number; drift: number; next: number | undefined },
): Paths {
  const middle = drift * Math.sqrt(fraction);
  const from = Math.max(low, middle - reach);
  const to = Math.min(high, middle + reach);
  if (from >= to) return { fraction, nodes: new Float64Array(0), masses: new Float64Array(0) };
  const before = Math.sqrt((fraction - paths.fraction) / fraction);
  const after = next === undefined ? 1 : Math.sqrt((next - fraction) / fraction);
  const { nodes, weights } = gaussLegendre(from, to, panelWidth * Math.min(1, before, after));
  const masses = weights.map((weight, at) => weight * densityAt(paths, fraction, nodes[at] as number, drift));
  return { fraction, nodes, masses };
}

/** Z at `fraction`, given Z = u before: mean and standard deviation; and the u's from which a z can be reached. */
function stepTo(paths: Paths, fraction: number, drift: number) {
  const gained = fraction - paths.fraction;
  const [rootBefore, root] = [Math.sqrt(paths.fraction), Math.sqrt(fraction)];
  const spread = Math.sqrt(gained) / root;
  const mean = (u: number) => (u * rootBefore + drift * gained) / root;
  // At the first look every z is reached from the one path there is.
  const firstWithin = (z: number) => (rootBefore === 0 ? 0 : (z * root - drift * gained) / rootBefore);
  const uReach = rootBefore === 0 ? 1 : (reach * Math.sqrt(gained)) / rootBefore;
  return { mean, spread, firstWithin, uReach };
}

/** The first place in ascending `nodes` that is not below `value`. */
function lowerBound(nodes: Float64Array, value: number): number {
  let [low, high] = [0, nodes.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((nodes[middle] as number) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Joint moments of units that are dealt to arms again and again: the same values, sums of other parts of them each time. */
import type { JointMoments } from "../statistics/statistics.ts";

export class DealtMoments {
  readonly #centres: readonly number[];
  /** Less their centre, so that sums of squares do not cancel. */
  readonly #columns: readonly Float64Array[];
  readonly #totals: readonly number[];
  readonly #pairs: readonly (readonly [number, number])[];
  readonly #pairTotals: readonly number[];

  /** @param pairs of columns whose products are asked for, the first not after the second. */
  constructor(columns: readonly Float64Array[], pairs: readonly (readonly [number, number])[]) {
    const units = columns[0]?.length ?? 0;
    const everyone = Int32Array.from({ length: units }, (_, i) => i);
    this.#centres = columns.map((column) => centreOf(column, everyone));
    this.#columns = columns.map((column, i) => column.map((value) => value - (this.#centres[i] as number)));
    this.#totals = this.#columns.map((column) => sumOf(column, everyone));
    this.#pairs = pairs;
    this.#pairTotals = pairs.map(([i, j]) => this.#sumOfProducts(i, j, everyone));
  }

  /**
   * Of each arm the moments of all columns; products of pairs that were not asked for are 0.
   * @param dealt each unit's arm.
   */
  byArm(dealt: Uint8Array, arms: number): JointMoments[] {
    const sides = membersByArm(dealt, arms);
    // What the others leave is the last arm's.
    const last = arms - 1;
    const over = (total: number, of: (members: Int32Array) => number): number[] => {
      const sums = sides.map((members, arm) => (arm === last ? 0 : of(members)));
      sums[last] = sums.reduce((left, sum) => left - sum, total);
      return sums;
    };
    const sums = this.#columns.map((column, i) =>
      over(this.#totals[i] as number, (members) => sumOf(column, members)),
    );
    const products = this.#pairs.map(([i, j], pair) =>
      over(this.#pairTotals[pair] as number, (members) => this.#sumOfProducts(i, j, members)),
    );
    return sides.map(({ length: count }, arm) => {
      const offsets = sums.map((sum) => (count === 0 ? 0 : (sum[arm] as number) / count));
      const matrix = this.#columns.map(() => new Array<number>(this.#columns.length).fill(0));
      for (const [pair, [i, j]] of this.#pairs.entries()) {
        const [one, other] = [offsets[i] as number, offsets[j] as number];
        const product = (products[pair]?.[arm] as number) - count * one * other;
        const kept = i === j ? Math.max(0, product) : product;
        (matrix[i] as number[])[j] = kept;
        (matrix[j] as number[])[i] = kept;
      }
      const means = this.#centres.map((centre, i) => centre + (offsets[i] as number));
      return { count, means, products: matrix };
    });
  }

  #sumOfProducts(i: number, j: number, members: Int32Array): number {
    const [one, other] = [this.#columns[i], this.#columns[j]] as [Float64Array, Float64Array];
    let sum = 0;
    for (let k = 0; k < members.length; k++) {
      const unit = members[k] as number;
      sum += (one[unit] as number) * (other[unit] as number);
    }
    return sum;
  }
}

/**
 * The mean to a power of two that is no more than the standard deviation: whole numbers stay such, and their sums exact, so
 * that a rare metric's few possible p-values are seen to be few.
 */
function centreOf(column: Float64Array, everyone: Int32Array): number {
  const units = Math.max(1, column.length);
  const mean = sumOf(column, everyone) / units;
  const variance = column.reduce((sum, value) => sum + (value - mean) ** 2, 0) / units;
  if (variance === 0 || !Number.isFinite(variance)) return mean;
  const grid = 2 ** Math.floor(Math.log2(variance) / 2);
  return Math.round(mean / grid) * grid;
}

function sumOf(values: Float64Array, members: Int32Array): number {
  let sum = 0;
  for (let k = 0; k < members.length; k++) sum += values[members[k] as number] as number;
  return sum;
}

/** Each arm's units, in their order. */
function membersByArm(dealt: Uint8Array, arms: number): Int32Array[] {
  const counts = new Array<number>(arms).fill(0);
  for (const arm of dealt) counts[arm] = (counts[arm] as number) + 1;
  const members = counts.map((count) => new Int32Array(count));
  const at = new Array<number>(arms).fill(0);
  for (let unit = 0; unit < dealt.length; unit++) {
    const arm = dealt[unit] as number;
    const place = at[arm] as number;
    (members[arm] as Int32Array)[place] = unit;
    at[arm] = place + 1;
  }
  return members;
}

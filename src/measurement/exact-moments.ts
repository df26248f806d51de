/**
 * Joint moments that are exact, whatever the order of the rows: each value is written as a whole number of units of the
 * last place, in two limbs of 45 bits below the variable's largest value, and the sums of the limbs and of their products
 * are whole numbers that DECIMAL(38, 0) holds for more units than there are people. A value keeps 90 bits below the largest
 * one's: nothing is lost where the values of a variable lie within a factor of 2^37 of each other. What is left of them
 * here is one division each.
 */
import { type JointMoments, noJointMoments, type SkewedMoments } from "../statistics/statistics.ts";
import { numberIn, type ResultRow } from "./engine.ts";

const limbBits = 45;

/** Of a value's upper limb, so that cubes fit too: enough for a skewness, which only says how many units are enough. */
const coarseBits = 30;

/** Squares of larger values leave a double's range. */
export const magnitudeMax = 1e120;

/** Powers beyond would leave a double's range where all values are next to nothing. */
const exponentMax = 900;

/** The pairs of the variables of each set, each pair once and the first not after the second: what `momentsQuery` is asked for. */
export function pairsWithin(sets: readonly (readonly number[])[]): [number, number][] {
  const pairs = new Map<string, [number, number]>();
  for (const set of sets) {
    for (const i of set) {
      for (const j of set) if (i <= j) pairs.set(`${i} ${j}`, [i, j]);
    }
  }
  return [...pairs.values()];
}

/**
 * Over a relation with one row a unit, `arm` and values `v0`, `v1`, …: one row an arm, of the columns `arm`, `units`, for
 * each value `exponent`, `high`, `low`, `beyond` (values too large to be squared), for each pair the sums of the products
 * of its limbs, and of each of `skewed` the sums of the coarse value, of its square and of its cube.
 * @param pairs of values whose products are asked for, the first not after the second.
 */
export function momentsQuery(
  units: string,
  values: number,
  pairs: readonly (readonly [number, number])[],
  skewed: readonly number[],
): string {
  if (values === 0) return `SELECT arm, count(*) AS units FROM ${units} GROUP BY arm`;
  const each = (columns: (i: number) => string): string[] =>
    Array.from({ length: values }, (_, i) => columns(i));
  const bounded = each((i) => `CASE WHEN abs(v${i}) < ${magnitudeMax} THEN v${i} END AS b${i}`);
  const largest = each((i) => `max(abs(b${i})) AS m${i}`);
  const exponents = each(
    (i) =>
      `CASE WHEN m${i} > 0 THEN least(${limbBits} - ceil(log2(m${i})), ${exponentMax}) ELSE 0 END AS e${i}`,
  );
  const scaled = each((i) => `e${i}, b${i} * pow(2e0, e${i}) AS s${i}`);
  const limbs = each(
    (i) => `e${i}, CASE WHEN s${i} IS NULL THEN 1 ELSE 0 END AS n${i},
            CAST(floor(s${i}) AS DECIMAL(19, 0)) AS h${i},
            CAST(floor((s${i} - floor(s${i})) * ${2 ** limbBits}e0) AS DECIMAL(19, 0)) AS l${i}`,
  );
  const coarse = skewed.map(
    (i) => `CAST(floor(s${i} / ${2 ** (limbBits - coarseBits)}e0) AS DECIMAL(19, 0)) AS q${i}`,
  );
  const text = (sum: string): string => `CAST(sum(${sum}) AS STRING)`;
  const sums = [
    ...each(
      (i) => `CAST(max(e${i}) AS INTEGER) AS exponent${i}, sum(n${i}) AS beyond${i},
            ${text(`h${i}`)} AS high${i}, ${text(`l${i}`)} AS low${i}`,
    ),
    ...pairs.flatMap(([i, j]) => [
      `${text(`h${i} * h${j}`)} AS hh${i}_${j}`,
      `${text(`h${i} * l${j}`)} AS hl${i}_${j}`,
      ...(i === j ? [] : [`${text(`l${i} * h${j}`)} AS lh${i}_${j}`]),
      `${text(`l${i} * l${j}`)} AS ll${i}_${j}`,
    ]),
    ...skewed.flatMap((i) => [
      `${text(`q${i}`)} AS one${i}`,
      `${text(`q${i} * q${i}`)} AS two${i}`,
      `${text(`q${i} * q${i} * q${i}`)} AS three${i}`,
    ]),
  ];
  return `
    SELECT arm, count(*) AS units, ${sums.join(", ")}
    FROM (SELECT arm, ${[...limbs, ...coarse].join(", ")}
          FROM (SELECT arm, ${scaled.join(", ")}
                FROM (SELECT *, ${bounded.join(", ")} FROM ${units}) bounded
                CROSS JOIN (SELECT ${exponents.join(", ")}
                            FROM (SELECT ${largest.join(", ")} FROM (SELECT ${bounded.join(", ")} FROM ${units}) bounded) largest
                ) exponents) scaled) limbs
    GROUP BY arm`;
}

/** The joint moments of these variables in each of `arms` arms, in this order; of an arm without units none. */
export function momentsIn(
  rows: readonly ResultRow[],
  variables: readonly number[],
  arms: number,
): JointMoments[] {
  return byArm(rows, arms, (row) => momentsOf(row, variables), noJointMoments(variables.length));
}

/**
 * Of sets of rows that one query's groups overlap in: the sums of `plus` without those of `minus`, under `arm`. Whole
 * numbers of the same last place, so nothing is lost by it.
 */
export function sumOfRows(plus: readonly ResultRow[], minus: readonly ResultRow[], arm: number): ResultRow {
  const [any = {}] = plus;
  const sums = Object.entries(any).map(([name, value]) => {
    if (name.startsWith("exponent")) return [name, value] as const;
    const total = (rows: readonly ResultRow[]): bigint =>
      rows.reduce((sum, row) => sum + whole(row, name), 0n);
    return [name, String(total(plus) - total(minus))] as const;
  });
  return { ...Object.fromEntries(sums), arm };
}

/** Of one variable alone; a value too large to be squared makes its mean infinite. */
export function skewedIn(rows: readonly ResultRow[], i: number, arms: number): SkewedMoments[] {
  const none = { count: 0, mean: 0, m2: 0, m3: 0 };
  return byArm(rows, arms, (row) => skewedOf(row, i), none);
}

function byArm<T>(rows: readonly ResultRow[], arms: number, of: (row: ResultRow) => T, none: T): T[] {
  const rowOf = new Map(rows.map((row) => [Number(row["arm"]), row]));
  return Array.from({ length: arms }, (_, arm) => {
    const row = rowOf.get(arm);
    return row === undefined ? none : of(row);
  });
}

const whole = (row: ResultRow, name: string): bigint => BigInt(String(row[name] ?? 0));

function momentsOf(row: ResultRow, variables: readonly number[]): JointMoments {
  const units = whole(row, "units");
  const limb = BigInt(limbBits);
  const read = variables.map((i) => ({
    isBeyond: whole(row, `beyond${i}`) > 0n,
    sum: (whole(row, `high${i}`) << limb) + whole(row, `low${i}`),
    exponent: numberIn(row, `exponent${i}`) + limbBits,
  }));
  const means = read.map(({ isBeyond, sum, exponent }) =>
    // The statistics answer infinite moments with their reason; the other metrics keep their answers.
    isBeyond ? Number.POSITIVE_INFINITY : quotient(sum, units, exponent),
  );
  const products = variables.map((i, a) =>
    variables.map((j, b) => {
      const [one, other] = [read[a] as (typeof read)[number], read[b] as (typeof read)[number]];
      if (one.isBeyond || other.isBeyond) return 0;
      const pair = i <= j ? `${i}_${j}` : `${j}_${i}`;
      const crossed = whole(row, `hl${pair}`) + whole(row, `${i === j ? "hl" : "lh"}${pair}`);
      const sum = (whole(row, `hh${pair}`) << (2n * limb)) + (crossed << limb) + whole(row, `ll${pair}`);
      // sum (x - mean) (y - mean) = (n sum xy - sum x sum y) / n, in whole numbers, where nothing cancels.
      return quotient(units * sum - one.sum * other.sum, units, one.exponent + other.exponent);
    }),
  );
  return { count: Number(units), means, products };
}

function skewedOf(row: ResultRow, i: number): SkewedMoments {
  const units = whole(row, "units");
  const count = Number(units);
  if (whole(row, `beyond${i}`) > 0n) return { count, mean: Number.POSITIVE_INFINITY, m2: 0, m3: 0 };
  const [one, two, three] = ["one", "two", "three"].map((name) => whole(row, `${name}${i}`)) as [
    bigint,
    bigint,
    bigint,
  ];
  const exponent = numberIn(row, `exponent${i}`) - (limbBits - coarseBits);
  return {
    count,
    mean: quotient(one, units, exponent),
    m2: quotient(units * two - one * one, units, 2 * exponent),
    // sum (x - mean)^3 = (n^2 sum x^3 - 3 n sum x sum x^2 + 2 (sum x)^3) / n^2
    m3: quotient(
      units * units * three - 3n * units * one * two + 2n * one * one * one,
      units * units,
      3 * exponent,
    ),
  };
}

/** `dividend / divisor / 2^exponent`, to the last digit but one of a double. */
function quotient(dividend: bigint, divisor: bigint, exponent: number): number {
  // Of the quotient as a whole number at least 64 bits.
  const shift = Math.max(0, 64 + bits(divisor) - bits(dividend));
  const whole = Number((dividend << BigInt(shift)) / divisor);
  // In two steps, since a power of two alone may leave a double's range.
  const power = exponent + shift;
  return whole * 2 ** -Math.floor(power / 2) * 2 ** -Math.ceil(power / 2);
}

function bits(value: bigint): number {
  return (value < 0n ? -value : value).toString(2).length;
}

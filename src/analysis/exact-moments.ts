/**
 * Moments that are exact, whatever the order of the rows: each value is written as a whole number of units of the last
 * place, in two limbs of 45 bits below the largest value, and the sums of the limbs, of their squares and of their
 * products are whole numbers that DECIMAL(38, 0) holds for more units than there are people. A value keeps 90 bits below
 * the largest one's: nothing is lost where the values of a metric lie within a factor of 2^37 of each other. What is left
 * of them here is one division.
 */
import { type CrossMoments, noCrossMoments } from "../statistics/statistics.ts";
import type { ResultRow } from "./engine.ts";

const limbBits = 45;

/** Squares of larger values leave a double's range. */
export const magnitudeMax = 1e120;

/** Powers beyond would leave a double's range where all values are next to nothing. */
const exponentMax = 900;

/**
 * Over a relation with one row a unit, `arm` and values `y0`, `y1`, …: one row an arm, of the columns `arm` and for each
 * value `exponent`, `high`, `low`, `high_high`, `high_low`, `low_low` and `beyond` (values too large to be squared).
 */
export function momentsQuery(units: string, values: number): string {
  const each = (columns: (i: number) => string): string[] =>
    Array.from({ length: values }, (_, i) => columns(i));
  const bounded = each((i) => `CASE WHEN abs(y${i}) < ${magnitudeMax} THEN y${i} END AS b${i}`);
  const largest = each((i) => `max(abs(b${i})) AS m${i}`);
  const exponents = each(
    (i) =>
      `CASE WHEN m${i} > 0 THEN least(${limbBits} - ceil(log2(m${i})), ${exponentMax}) ELSE 0 END AS e${i}`,
  );
  const scaled = each((i) => `e${i}, y${i}, b${i} * pow(2e0, e${i}) AS s${i}`);
  const limbs = each(
    (i) => `e${i}, CASE WHEN s${i} IS NULL THEN 1 ELSE 0 END AS n${i},
            CAST(floor(s${i}) AS DECIMAL(19, 0)) AS h${i},
            CAST(floor((s${i} - floor(s${i})) * ${2 ** limbBits}e0) AS DECIMAL(19, 0)) AS l${i}`,
  );
  const text = (sum: string): string => `CAST(sum(${sum}) AS STRING)`;
  const sums = each(
    (i) => `CAST(max(e${i}) AS INTEGER) AS exponent${i}, sum(n${i}) AS beyond${i},
            ${text(`h${i}`)} AS high${i}, ${text(`l${i}`)} AS low${i}, ${text(`h${i} * h${i}`)} AS high_high${i},
            ${text(`h${i} * l${i}`)} AS high_low${i}, ${text(`l${i} * l${i}`)} AS low_low${i}`,
  );
  if (values === 0) return `SELECT arm FROM ${units} WHERE false`;
  return `
    SELECT arm, count(*) AS units, ${sums.join(", ")}
    FROM (SELECT arm, ${limbs.join(", ")}
          FROM (SELECT arm, ${scaled.join(", ")}
                FROM (SELECT *, ${bounded.join(", ")} FROM ${units}) bounded
                CROSS JOIN (SELECT ${exponents.join(", ")}
                            FROM (SELECT ${largest.join(", ")} FROM (SELECT ${bounded.join(", ")} FROM ${units}) bounded) largest
                ) exponents) scaled) limbs
    GROUP BY arm`;
}

/** The moments of the i-th value in each of `arms` arms; of an arm without units none. The covariate is 0. */
export function momentsIn(rows: readonly ResultRow[], i: number, arms: number): CrossMoments[] {
  const byArm = new Map(rows.map((row) => [Number(row["arm"]), row]));
  return Array.from({ length: arms }, (_, arm) => {
    const row = byArm.get(arm);
    return row === undefined ? noCrossMoments : momentsOf(row, i);
  });
}

function momentsOf(row: ResultRow, i: number): CrossMoments {
  const whole = (name: string): bigint => BigInt(String(row[`${name}${i}`] ?? 0));
  const units = BigInt(String(row["units"]));
  const count = Number(units);
  // The statistics answer infinite moments with their reason; the other metrics keep their answers.
  if (whole("beyond") > 0n) return { ...noCrossMoments, count, meanY: Number.POSITIVE_INFINITY };
  const limb = BigInt(limbBits);
  const sum = (whole("high") << limb) + whole("low");
  const squares = (whole("high_high") << (2n * limb)) + (whole("high_low") << (limb + 1n)) + whole("low_low");
  const exponent = Number(row[`exponent${i}`]) + limbBits;
  return {
    ...noCrossMoments,
    count,
    meanY: quotient(sum, units, exponent),
    // sum (y - mean)^2 = (n sum y^2 - (sum y)^2) / n, in whole numbers, where nothing cancels.
    m2Y: quotient(units * squares - sum * sum, units, 2 * exponent),
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

/** Units by what was known of them at their first exposure: nothing that came later could tell the arms apart. */
import { type Dialect, type Relation, table, view } from "../measurement/measurement.ts";

/** An attribute as targeting names it, or how much a unit did in the 14 days before its first exposure. */
export type SegmentAttribute =
  | { readonly of: "user" | "context"; readonly name: string }
  | { readonly of: "activity" };

/** Levels that stand alone; with more, few units are left in each, and many tests ask for strong evidence. */
export const levelsMax = 12;

/** Where there are more, and nearly all units that have any have a number, the levels are bins of as many units each. */
const binsCount = 5;
const numbersShareMin = 0.95;

/** Behind the bins of numbers: what is none, and nothing. */
export const binOfText = binsCount;
export const binOfNothing = binsCount + 1;

/**
 * `<name>_attributes (unit, a0, a1, …)`, '' where a unit's first request said nothing, and `<name>_levels (attribute, level,
 * number, bin, nth)`: the texts of each attribute with the place of their level, from the one with the most units on; those of a
 * bin have one place. From `levelsMax` on they are the others. Of `happened` it reads `is_active` where activity is asked for.
 */
export function attributeLevels(
  dialect: Dialect,
  name: string,
  attributes: readonly SegmentAttribute[],
): Relation[] {
  const first = attributes.flatMap((attribute, i) =>
    attribute.of === "activity"
      ? []
      : [
          `min_by(coalesce(${attribute.of}_attributes[${dialect.text(attribute.name)}], ''), (shown_at, log_file, log_path, log_row)) AS a${i}`,
        ],
  );
  const asked = `SELECT ${["unit", ...first].join(", ")} FROM first_exposures WHERE arm IS NOT NULL GROUP BY unit`;
  const active = attributes.flatMap(({ of }, i) =>
    of === "activity" ? [`CAST(coalesce(done, 0) AS STRING) AS a${i}`] : [],
  );
  const texts = attributes.map(
    (_, i) => `
      SELECT ${i} AS attribute, a${i} AS level, ${dialect.numberIn(`a${i}`)} AS number, count(*) AS units
      FROM units JOIN ${name}_attributes ON ${name}_attributes.unit = units.unit WHERE NOT crossed GROUP BY a${i}`,
  );
  return [
    ...(active.length === 0
      ? [table(`${name}_attributes`, asked)]
      : [
          view(
            `${name}_activity`,
            "SELECT unit, count(*) AS done FROM happened WHERE is_active GROUP BY unit",
          ),
          table(
            `${name}_attributes`,
            `SELECT asked.*, ${active.join(", ")}
             FROM (${asked}) asked LEFT JOIN ${name}_activity ON ${name}_activity.unit = asked.unit`,
          ),
        ]),
    table(`${name}_texts`, texts.join(" UNION ALL ")),
    view(
      `${name}_kinds`,
      `SELECT attribute AS of_attribute, count(*) FILTER (WHERE level <> '') > ${levelsMax}
              AND coalesce(sum(units) FILTER (WHERE number IS NOT NULL), 0)
                  >= ${numbersShareMin}e0 * sum(units) FILTER (WHERE level <> '') AS binned
       FROM ${name}_texts GROUP BY attribute`,
    ),
    // By the middle of the units that have the same number: these are never torn apart.
    view(
      `${name}_bins`,
      `SELECT attribute, level, number, units, binned,
              CASE WHEN level = '' THEN ${binOfNothing} WHEN number IS NULL THEN ${binOfText}
                   ELSE CAST(floor(${binsCount}e0 * (through - same / 2e0) / numbers) AS INTEGER) END AS bin
       FROM (SELECT *, sum(numbered) OVER (PARTITION BY attribute ORDER BY number) AS through,
                    sum(numbered) OVER (PARTITION BY attribute, number) AS same,
                    sum(numbered) OVER (PARTITION BY attribute) AS numbers
             FROM (SELECT *, CASE WHEN number IS NULL THEN 0 ELSE units END AS numbered FROM ${name}_texts) texts) summed
       JOIN ${name}_kinds ON of_attribute = attribute`,
    ),
    table(
      `${name}_levels`,
      `SELECT attribute, level, number, CASE WHEN binned THEN bin END AS bin,
              CASE WHEN binned THEN dense_rank() OVER (PARTITION BY attribute ORDER BY bin)
                   ELSE row_number() OVER (PARTITION BY attribute ORDER BY units DESC, level) END - 1 AS nth
       FROM ${name}_bins`,
    ),
  ];
}

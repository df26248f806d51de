/** Units by what was logged of them at their first exposure: nothing that came later could tell the arms apart. */
import type { Dialect, Relation } from "./dialect.ts";
import { table } from "./log-design.ts";

/** An attribute as targeting names it. */
export interface SegmentAttribute {
  readonly of: "user" | "context";
  readonly name: string;
}

/** Levels that stand alone; with more, few units are left in each, and many tests ask for strong evidence. */
export const levelsMax = 12;

/**
 * `<name>_attributes (unit, a0, a1, …)`, '' where a unit's first request said nothing, and `<name>_levels (attribute, level,
 * nth)`: the levels of each attribute from the one with the most units on. From `levelsMax` on they are the others.
 */
export function attributeLevels(
  dialect: Dialect,
  name: string,
  attributes: readonly SegmentAttribute[],
): Relation[] {
  const first = attributes.map(
    ({ of, name: key }, i) =>
      `min_by(coalesce(${of}_attributes[${dialect.text(key)}], ''), (shown_at, log_file, log_path, log_row)) AS a${i}`,
  );
  const levels = attributes.map(
    (_, i) => `
      SELECT ${i} AS attribute, a${i} AS level, count(*) AS units
      FROM units JOIN ${name}_attributes ON ${name}_attributes.unit = units.unit WHERE NOT crossed GROUP BY a${i}`,
  );
  return [
    table(
      `${name}_attributes`,
      `SELECT unit, ${first.join(", ")} FROM first_exposures WHERE arm IS NOT NULL GROUP BY unit`,
    ),
    table(
      `${name}_levels`,
      `SELECT attribute, level, row_number() OVER (PARTITION BY attribute ORDER BY units DESC, level) - 1 AS nth
       FROM (${levels.join(" UNION ALL ")}) levels`,
    ),
  ];
}

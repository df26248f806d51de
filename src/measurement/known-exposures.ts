/** The part of a fold that is about exposures: those that are new, and the units that they touch. */

import { keyOf, shapedAs, temporary } from "./known-tables.ts";
import { ofPast } from "./log-exposures.ts";
import type { MetricLayouts } from "./metric-layout.ts";

/** What an exposure says of how long it took. */
const waits = ["ranked", "answer_us", "model_us"];

/** `new_exposures`: as `known.exposures`, of requests that it does not have yet. */
export function newExposures(
  create: (relation: string) => string,
  { attributes, reads }: MetricLayouts,
): string[] {
  const facts = [
    "shown_at",
    "arm",
    "fallback",
    "surface",
    "latency",
    ...waits,
    ...attributes.map((_, i) => `attribute${i}`),
  ];
  const item = `struct_pack(id := one.id, "position" := ${reads.position ? "one.position" : "NULL::INTEGER"},
                            features := ${reads.features ? "one.features" : "NULL::VARCHAR"})`;
  return [
    create("exposures"),
    create("repeated_exposures"),
    create("later_exposures"),
    temporary(
      "arriving",
      `SELECT log_path, log_row, asked_as, ${keyOf("request")} FROM exposures WHERE asked_as IS NOT NULL`,
    ),
    temporary(
      "arrived",
      "SELECT a, b, asked_as FROM known.exposures SEMI JOIN arriving USING (a, b, asked_as)",
    ),
    `INSERT INTO later_exposures BY NAME
     SELECT log_path, log_row, asked_as FROM arriving SEMI JOIN arrived USING (a, b, asked_as)
     ANTI JOIN later_exposures USING (log_path, log_row)`,
    create("first_exposures"),
    temporary(
      "named_exposures",
      `SELECT ${keyOf("request")}, asked_as, in_phase, CASE WHEN in_phase IS NOT NULL THEN unit END AS unit_name,
              CASE WHEN asked_as = ${ofPast} THEN user_id END AS user_name, ${facts.join(", ")},
              CASE WHEN asked_as IS NOT NULL THEN list_transform(items, lambda one: ${item}) END AS items
       FROM first_exposures`,
    ),
    temporary(
      "names",
      `SELECT unit_name AS name FROM named_exposures WHERE unit_name IS NOT NULL
       UNION SELECT user_name FROM named_exposures WHERE user_name IS NOT NULL`,
    ),
    temporary("known_names", "SELECT name, person FROM known.people SEMI JOIN names USING (name)"),
    `INSERT INTO known.people
     SELECT name, (SELECT count(*) FROM known.people) + row_number() OVER () FROM names ANTI JOIN known_names USING (name)`,
    temporary("numbered", "SELECT name, person FROM known.people SEMI JOIN names USING (name)"),
    temporary(
      "new_exposures",
      `SELECT named.* EXCLUDE (unit_name, user_name), units.person AS unit, users.person AS user_id
       FROM named_exposures named LEFT JOIN numbered units ON units.name = unit_name
       LEFT JOIN numbered users ON users.name = user_name`,
    ),
  ];
}

/** `known.units` of whoever has a new exposure, and in `changed` those of them whose times are not what they were. */
export function touchedUnits(create: (relation: string) => string, { attributes }: MetricLayouts): string[] {
  const read = ["unit", "shown_at", "in_phase", "arm", "fallback", "surface", "latency", ...waits];
  const columns = [...read, ...attributes.map((_, i) => `attribute${i}`)].join(", ");
  return [
    create("forced"),
    `INSERT INTO known.forced SELECT person FROM forced JOIN numbered ON name = forced.unit
     WHERE person NOT IN (SELECT unit FROM known.forced)`,
    "DROP TABLE forced",
    "CREATE TEMPORARY VIEW forced AS SELECT unit FROM known.forced",
    temporary("touched", "SELECT DISTINCT unit FROM new_exposures WHERE unit IS NOT NULL"),
    "DROP VIEW first_exposures",
    temporary(
      "first_exposures",
      `SELECT ${columns} FROM known.exposures SEMI JOIN touched USING (unit) WHERE in_phase IS NOT NULL
       UNION ALL SELECT ${columns} FROM new_exposures WHERE in_phase IS NOT NULL`,
    ),
    create("units"),
    shapedAs("units", "SELECT * FROM units"),
    temporary(
      "changed",
      `SELECT units.unit AS unit
       FROM units LEFT JOIN (SELECT unit, exposed, began FROM known.units SEMI JOIN touched USING (unit)) before USING (unit)
       WHERE before.exposed IS DISTINCT FROM units.exposed OR before.began IS DISTINCT FROM units.began`,
    ),
    "DELETE FROM known.units WHERE unit IN (SELECT unit FROM touched)",
    "INSERT INTO known.units SELECT * FROM units",
    "DROP TABLE units",
    "DROP TABLE first_exposures",
  ];
}

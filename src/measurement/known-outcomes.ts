/** The part of a fold that is about outcomes: those that are new, what comes of them, and the units that have to be folded anew. */
import { userPrefix } from "./happened.ts";
import { keyOf, shapedAs, temporary } from "./known-tables.ts";
import { ofArm, ofPast } from "./log-exposures.ts";
import type { MetricLayouts } from "./metric-layout.ts";

/** `new_outcomes`: as `known.outcomes`, of ids that it does not have yet; `name` of whoever did it without a list. */
export function newOutcomes(create: (relation: string) => string): string[] {
  return [
    create("repeated_outcomes"),
    create("later_outcomes"),
    temporary(
      "coming",
      `SELECT ${keyOf("outcome")}, ${keyOf("request", "ra", "rb")}, did,
              CASE WHEN did THEN substr(request, ${userPrefix.length + 1}) END AS name, item, type, value, occurred_at
       FROM (SELECT *, coalesce(item = '' AND request LIKE '${userPrefix}%', false) AS did
             FROM outcomes ANTI JOIN later_outcomes USING (log_path, log_row)) told`,
    ),
    temporary("came", "SELECT a, b FROM known.outcomes SEMI JOIN coming USING (a, b)"),
    temporary("new_outcomes", "SELECT * FROM coming ANTI JOIN came USING (a, b)"),
    "DROP TABLE coming",
  ];
}

/** For requests of this session: new outcomes meet all exposures that they answer, known ones only some. */
const newRequest = "'n' || a || '.' || b";
const oldRequest = "'o' || a || '.' || b";

/**
 * `found_<table>`: where rows of the state's table stand whose 64 bits of a key are among those asked for, most of them in
 * the newest part. All that is read of the others is those 8 bytes.
 */
const found = (table: "outcomes" | "exposures", column: string, keys: string): string =>
  temporary(
    `found_${table}`,
    `SELECT rowid AS place FROM known.${table} SEMI JOIN ${keys} ON ${keys}.a = known.${table}.${column}`,
  );
const foundRows = (table: "outcomes" | "exposures"): string =>
  `SELECT * FROM known.${table} WHERE rowid IN (SELECT place FROM found_${table})`;

/** `fresh`: the rows of `happened` of all pairs that are new or have to be looked at again. */
export function pairs(create: (relation: string) => string): string[] {
  const owner = `CASE asked_as WHEN ${ofArm} THEN unit WHEN ${ofPast} THEN user_id END`;
  const asked = "a, b, asked_as, unit, user_id, shown_at, items";
  const told =
    "item, type, value, occurred_at, CAST(NULL AS VARCHAR) AS log_path, CAST(NULL AS BIGINT) AS log_row";
  const answered = (outcomes: string): string => `(SELECT ra, rb FROM ${outcomes} WHERE NOT did) answered`;
  return [
    temporary(
      "changed_users",
      `SELECT person, ${keyOf(`'${userPrefix}' || name`)} FROM known.people SEMI JOIN changed ON changed.unit = person`,
    ),
    temporary(
      "asked_again",
      `SELECT a, b, false AS did FROM known.exposures SEMI JOIN changed USING (unit) WHERE asked_as = ${ofArm}
       UNION SELECT a, b, false FROM known.exposures SEMI JOIN changed ON changed.unit = user_id WHERE asked_as = ${ofPast}
       UNION SELECT a, b, false FROM new_exposures
       UNION SELECT a, b, true FROM changed_users`,
    ),
    found("outcomes", "ra", "asked_again"),
    temporary(
      "old_outcomes",
      `SELECT told.* FROM (${foundRows("outcomes")}) told SEMI JOIN asked_again
       ON asked_again.a = ra AND asked_again.b = rb AND asked_again.did = told.did`,
    ),
    temporary(
      "answered",
      `SELECT ra AS a, rb AS b FROM new_outcomes WHERE NOT did
       UNION SELECT ra, rb FROM old_outcomes WHERE NOT did`,
    ),
    found("exposures", "a", "answered"),
    temporary(
      "known_asked",
      `SELECT ${asked} FROM (${foundRows("exposures")}) exposed SEMI JOIN answered USING (a, b)`,
    ),
    temporary(
      "first_exposures",
      `SELECT ${newRequest} AS request, asked_as, unit, user_id, shown_at, items
       FROM (SELECT ${asked} FROM known_asked UNION ALL SELECT ${asked} FROM new_exposures) exposed
       SEMI JOIN ${answered("new_outcomes")} ON a = ra AND b = rb
       UNION ALL
       SELECT ${oldRequest} AS request, asked_as, unit, user_id, shown_at, items
       FROM (SELECT ${asked} FROM known_asked WHERE ${owner} IN (SELECT unit FROM changed)
             UNION ALL SELECT ${asked} FROM new_exposures) exposed
       SEMI JOIN ${answered("old_outcomes")} ON a = ra AND b = rb`,
    ),
    temporary(
      "doers",
      "SELECT name, person FROM known.people SEMI JOIN (SELECT name FROM new_outcomes WHERE did) told USING (name)",
    ),
    "DROP VIEW outcomes",
    `CREATE TEMPORARY VIEW outcomes AS
     SELECT CASE WHEN did THEN '${userPrefix}' || person ELSE ${newRequest} END AS request, ${told}
     FROM (SELECT * EXCLUDE (a, b), ra AS a, rb AS b FROM new_outcomes) told LEFT JOIN doers USING (name)
     WHERE NOT did OR person IS NOT NULL
     UNION ALL
     SELECT CASE WHEN did THEN '${userPrefix}' || person ELSE ${oldRequest} END AS request, ${told}
     FROM (SELECT * EXCLUDE (a, b), ra AS a, rb AS b FROM old_outcomes) told LEFT JOIN changed_users USING (a, b)`,
    temporary(
      "units",
      `SELECT * FROM known.units
       SEMI JOIN (SELECT ${owner} AS unit FROM first_exposures UNION SELECT person FROM doers UNION SELECT unit FROM changed) owners
       USING (unit)`,
    ),
    create("first_outcomes"),
    create("happened"),
    temporary("fresh", "SELECT * EXCLUDE (request, item) FROM happened"),
    "DROP VIEW happened",
    "INSERT INTO known.unknown SELECT count(*) FROM fresh WHERE unit IS NULL AND is_unmatched",
    `INSERT INTO known.unknown
     SELECT -count(*) FROM old_outcomes
     SEMI JOIN new_exposures ON new_exposures.a = ra AND new_exposures.b = rb
     ANTI JOIN known_asked ON known_asked.a = ra AND known_asked.b = rb
     WHERE NOT did`,
  ];
}

/** The units with a new row, or without one that they had. */
export function refolded(create: (relation: string) => string, { metrics }: MetricLayouts): string[] {
  const isQuantile = metrics.some(({ events }) => events !== undefined);
  const folds = ["unit_outcomes", ...(isQuantile ? ["unit_events"] : [])];
  return [
    shapedAs("happened", "SELECT * FROM fresh"),
    "DELETE FROM known.happened WHERE unit IN (SELECT unit FROM changed)",
    "INSERT INTO known.happened BY NAME SELECT * FROM fresh WHERE unit IS NOT NULL",
    temporary("again", "SELECT unit FROM changed UNION SELECT unit FROM fresh WHERE unit IS NOT NULL"),
    temporary("happened", "SELECT * FROM known.happened SEMI JOIN again USING (unit)"),
    ...folds.flatMap((fold) => [
      create(fold),
      shapedAs(fold, `SELECT * FROM ${fold}`),
      `DELETE FROM known.${fold} WHERE unit IN (SELECT unit FROM again)`,
      `INSERT INTO known.${fold} BY NAME SELECT * FROM ${fold}`,
    ]),
  ];
}

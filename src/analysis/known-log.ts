/**
 * What an incremental analysis keeps of the log that it has folded, as tables of an attached DuckDB called `known`, and the
 * statements that fold more files into it. Nothing is worked out in another way than over the whole log: the relations are
 * the same ones, over the rows of the units that the new files touch. Why that is exact:
 *
 * - Which impression of a request, and which outcome of an id, comes first is decided by where it stands in the log. What is
 *   new stands behind all that is known, so a first one stays the first.
 * - An outcome is of a unit through an exposure that it answers (a pair), or as its user's own. What comes of a pair depends
 *   on nothing but the pair and the times `exposed` and `began` of its unit. So new are the pairs with a new outcome, those
 *   with a new exposure, and those of units whose times have changed, whose rows of `happened` are taken out first.
 * - A unit's numbers are folded from its rows of `happened` anew where it has a new one, by the same aggregates.
 */
import type { Experiment } from "../domain/experiment.ts";
import type { Dialect, LogSources, Relation } from "./dialect.ts";
import { userPrefix } from "./happened.ts";
import { ofArm, ofPast } from "./log-exposures.ts";
import { logQueries, logRelations } from "./log-statements.ts";
import { type MetricLayouts, metricLayouts } from "./metric-layout.ts";

/** Of the tables below; a state of another one is made anew. */
export const stateVersion = 1;

/** Texts by 128 bits of them, which no two ids of a log share; of two functions, since MD5 is the dear one. */
const keyOf = (text: string, a = "a", b = "b"): string =>
  `hash(${text}) AS ${a}, md5_number_lower(${text}) AS ${b}`;

/** What an exposure says of how long it took. */
const waits = ["ranked", "answer_us", "model_us"];

/** For requests of this session: new outcomes meet all exposures that they answer, known ones only some. */
const newRequest = "'n' || a || '.' || b";
const oldRequest = "'o' || a || '.' || b";

const temporary = (name: string, query: string): string => `CREATE TEMPORARY TABLE ${name} AS ${query}`;

/** A table of the state with the columns of one that this session has made. */
const shapedAs = (name: string, query: string): string =>
  `CREATE TABLE IF NOT EXISTS known.${name} AS SELECT * FROM (${query}) shape LIMIT 0`;

/**
 * `found_<table>`: where rows of the state's table stand whose 64 bits of a key are among those asked for, most of them in
 * the newest part. All that is read of the others is those 8 bytes.
 */
const found = (table: "outcomes" | "exposures", column: string, keys: string): string[] => [
  temporary(
    `found_${table}`,
    `SELECT rowid AS place FROM known.${table} SEMI JOIN ${keys} ON ${keys}.a = known.${table}.${column}`,
  ),
];
const foundRows = (table: "outcomes" | "exposures"): string =>
  `SELECT * FROM known.${table} WHERE rowid IN (SELECT place FROM found_${table})`;

/**
 * The tables that are there from the beginning: `people`, whoever may be a unit, by number; `exposures`, each request once;
 * `outcomes`, each once, whoever they are of; `unknown`, how many of them answer no known request, to be summed.
 */
export function stateTables(experiment: Experiment): string[] {
  const { attributes } = metricLayouts(experiment);
  return [
    "CREATE TABLE known.files (name VARCHAR, size BIGINT, modified BIGINT)",
    "CREATE TABLE known.people (name VARCHAR, person INTEGER)",
    `CREATE TABLE known.exposures (a UBIGINT, b UBIGINT, asked_as INTEGER, in_phase BOOLEAN, unit INTEGER,
       user_id INTEGER, shown_at TIMESTAMP, arm INTEGER, fallback INTEGER, surface VARCHAR, latency INTEGER,
       ranked INTEGER, answer_us BIGINT, model_us BIGINT,
       ${attributes.map((_, i) => `attribute${i} DOUBLE,`).join(" ")}
       items STRUCT(id VARCHAR, position INTEGER, features VARCHAR)[])`,
    "CREATE TABLE known.forced (unit INTEGER)",
    "CREATE TABLE known.later_exposures (asked_as INTEGER)",
    `CREATE TABLE known.outcomes (a UBIGINT, b UBIGINT, ra UBIGINT, rb UBIGINT, did BOOLEAN, item VARCHAR, type VARCHAR,
       value DOUBLE, occurred_at TIMESTAMP)`,
    "CREATE TABLE known.unknown (outcomes BIGINT)",
  ];
}

/** Folds the files, none of which is known and which all stand behind those that are. For a session without temporary names. */
export function foldStatements(dialect: Dialect, experiment: Experiment, files: LogSources): string[] {
  const layouts = metricLayouts(experiment);
  const relations = logRelations(dialect, experiment, layouts);
  const create = (name: string): string =>
    dialect.create(relations.find((relation) => relation.name === name) as Relation);
  return [
    dialect.rowsOf("impressions", files.impressions),
    dialect.rowsOf("outcomes", files.outcomes),
    ...newExposures(create, layouts),
    ...touchedUnits(create, layouts),
    ...newOutcomes(create),
    ...pairs(create),
    ...refolded(create, layouts),
    shapedAs("served", logQueries(layouts).served),
    `INSERT INTO known.served ${logQueries(layouts).served}`,
    "INSERT INTO known.later_exposures SELECT asked_as FROM later_exposures",
    "INSERT INTO known.exposures BY NAME SELECT * FROM new_exposures",
    "INSERT INTO known.outcomes BY NAME SELECT * EXCLUDE (name) FROM new_outcomes",
  ];
}

/** `new_exposures`: as `known.exposures`, of requests that it does not have yet. */
function newExposures(create: (relation: string) => string, { attributes, reads }: MetricLayouts): string[] {
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
function touchedUnits(create: (relation: string) => string, { attributes }: MetricLayouts): string[] {
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

/** `new_outcomes`: as `known.outcomes`, of ids that it does not have yet; `name` of whoever did it without a list. */
function newOutcomes(create: (relation: string) => string): string[] {
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

/** `fresh`: the rows of `happened` of all pairs that are new or have to be looked at again. */
function pairs(create: (relation: string) => string): string[] {
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
    ...found("outcomes", "ra", "asked_again"),
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
    ...found("exposures", "a", "answered"),
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
function refolded(create: (relation: string) => string, { metrics }: MetricLayouts): string[] {
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

/** The queries over what is known, and what they read. For a session without temporary names. */
export function knownStatements(
  dialect: Dialect,
  experiment: Experiment,
): { readonly prepare: readonly string[]; readonly queries: ReturnType<typeof logQueries> } {
  const layouts = metricLayouts(experiment);
  const isQuantile = layouts.metrics.some(({ events }) => events !== undefined);
  const known = (name: string): string => `CREATE TEMPORARY VIEW ${name} AS SELECT * FROM known.${name}`;
  return {
    prepare: [
      ...["units", "later_exposures", ...(isQuantile ? ["unit_events"] : [])].map(known),
      `CREATE TEMPORARY VIEW unit_outcomes AS SELECT * FROM known.unit_outcomes
       UNION ALL BY NAME
       SELECT CAST(NULL AS INTEGER) AS unit, CAST(sum(outcomes) AS BIGINT) AS unmatched FROM known.unknown`,
      ...logRelations(dialect, experiment, layouts)
        .filter(({ name }) => ["unit_values", "caps", "capped_values"].includes(name))
        .map(dialect.create),
    ],
    queries: {
      ...logQueries(layouts),
      served: `SELECT * EXCLUDE (impressions), CAST(sum(impressions) AS BIGINT) AS impressions FROM known.served GROUP BY ALL`,
    },
  };
}

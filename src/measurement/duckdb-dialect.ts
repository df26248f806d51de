import { literal } from "../columnar/columnar.ts";
import { type Dialect, type LogSources, numberPattern } from "./dialect.ts";

/** The columns that an analysis reads, as docs/outcome-log-format.md has them. */
const columns: Readonly<Record<keyof LogSources, Readonly<Record<string, string>>>> = {
  impressions: {
    request: "VARCHAR",
    at: "TIMESTAMP",
    surface: "VARCHAR",
    user: "VARCHAR",
    model: "VARCHAR",
    model_version: "VARCHAR",
    candidate_count: "INTEGER",
    assignments:
      "STRUCT(experiment VARCHAR, arm VARCHAR, phase INTEGER, unit VARCHAR, propensity DOUBLE, overridden BOOLEAN)[]",
    items: "STRUCT(id VARCHAR, position INTEGER, features VARCHAR)[]",
    interleaving:
      "STRUCT(id VARCHAR, arms STRUCT(arm VARCHAR, model VARCHAR, model_version VARCHAR)[], teams VARCHAR[], competitive BOOLEAN[])",
    timings: "STRUCT(assign DOUBLE, features DOUBLE, queue DOUBLE, inference DOUBLE, rank DOUBLE)",
    user_attributes: "MAP(VARCHAR, VARCHAR)",
    context_attributes: "MAP(VARCHAR, VARCHAR)",
  },
  outcomes: {
    outcome: "VARCHAR",
    request: "VARCHAR",
    item: "VARCHAR",
    type: "VARCHAR",
    value: "DOUBLE",
    occurred_at: "TIMESTAMP",
  },
  counterfactuals: {
    request: "VARCHAR",
    experiment: "VARCHAR",
    phase: "INTEGER",
    arm: "VARCHAR",
    other: "VARCHAR",
    agreeing: "INTEGER",
    other_ids: "VARCHAR[]",
  },
};

/** Words of SQL's own. */
const renamed: Readonly<Record<string, string>> = { at: "shown_at", user: "user_id" };

/** What needs no second look in a statement: a text with a zero byte would end it there. */
const plain = /^[\w .:/@-]*$/;

export const duckDbDialect: Dialect = {
  text: (value) =>
    plain.test(value) ? literal(value) : `decode(unhex('${Buffer.from(value, "utf8").toString("hex")}'))`,
  firstWhere: (list, name, condition) => `list_filter(${list}, lambda ${name}: ${condition})[1]`,
  fieldOf: (list, field) => `list_transform(${list}, lambda one: one.${field})`,
  contains: (list, value) => `list_contains(${list}, ${value})`,
  placeIn: (list, value) => `list_position(${list}, ${value})`,
  at: (list, place) => `${list}[${place}]`,
  sizeOf: (list) => `len(${list})`,
  countOf: (list) => `len(list_filter(${list}, lambda one: one))`,
  countEqual: (list, value) => `len(list_filter(${list}, lambda one: one = ${value}))`,
  daysBetween: (from, to) => `CAST(floor((epoch_ms(${to}) - epoch_ms(${from})) / 864e5) AS INTEGER)`,
  fingerprint: (text) => `hash(${text})`,
  orderedSum: (value, condition) => `list_sum(list_sort(list(${value}) FILTER (WHERE ${condition})))`,
  runningSum: (value, window) => `coalesce(list_sum(list_sort(list(${value}) OVER (${window}))), 0e0)`,
  textTest: (test, text, part) =>
    `${{ startsWith: "prefix", endsWith: "suffix", contains: "contains" }[test]}(${text}, ${part})`,
  jsonText: (json, name) => `json_extract_string(${json}, '$."${name}"')`,
  numberIn: (text) =>
    `CASE WHEN regexp_matches(${text}, '${numberPattern}') THEN TRY_CAST(${text} AS DOUBLE) END`,
  mapValue: (map, key) => `${map}[${key}]`,
  least: (fields, condition) => {
    const record = Object.entries(fields).map(([name, value]) => `${name} := ${value}`);
    return `min(struct_pack(${record.join(", ")})) FILTER (WHERE ${condition})`;
  },
  latest: (value, at, condition) =>
    `(max(struct_pack(latest_at := ${at}, latest_value := ${value})) FILTER (WHERE ${condition})).latest_value`,
  rowsOf(table, files, until) {
    const names = Object.keys(columns[table]).map((name) => `"${name}" AS ${renamed[name] ?? name}`);
    const typed = Object.entries(columns[table]).map(([name, type]) => `CAST(NULL AS ${type}) AS "${name}"`);
    const place = "CAST(NULL AS VARCHAR) AS filename, CAST(NULL AS BIGINT) AS file_row_number";
    // Files from before a column was there have none; so all have it.
    const none = `SELECT ${[...typed, place].join(", ")} WHERE false`;
    const rows =
      files.length === 0
        ? none
        : `SELECT *, filename, file_row_number FROM read_parquet([${files.map(literal).join(", ")}],
             union_by_name = true, hive_partitioning = false) UNION ALL BY NAME ${none}`;
    return `CREATE TEMPORARY VIEW ${table} AS
      SELECT ${names.join(", ")}, parse_filename(filename) AS log_file, filename AS log_path, file_row_number AS log_row
      FROM (${rows}) stored${until === undefined ? "" : ` WHERE ${until.except ?? "false"} OR "${until.column}" <= TIMESTAMP '${until.time}'`}`;
  },
  create: ({ name, query, kept }) => `CREATE TEMPORARY ${kept ? "TABLE" : "VIEW"} ${name} AS ${query}`,
};

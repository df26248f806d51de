import { literal } from "../columnar/columnar.ts";
import type { Dialect, ImpressionDetail, LogSources } from "./dialect.ts";

/** The columns that an analysis reads, as docs/outcome-log-format.md has them. */
const columns: Readonly<Record<keyof LogSources, Readonly<Record<string, string>>>> = {
  impressions: {
    request: "VARCHAR",
    at: "TIMESTAMP",
    model: "VARCHAR",
    model_version: "VARCHAR",
    candidate_count: "INTEGER",
    assignments:
      "STRUCT(experiment VARCHAR, arm VARCHAR, phase INTEGER, unit VARCHAR, propensity DOUBLE, overridden BOOLEAN)[]",
    items: "STRUCT(id VARCHAR)[]",
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

const detailTypes: Readonly<Record<ImpressionDetail, string>> = {
  interleaving:
    "STRUCT(id VARCHAR, arms STRUCT(arm VARCHAR, model VARCHAR, model_version VARCHAR)[], teams VARCHAR[], competitive BOOLEAN[])",
  user_attributes: "MAP(VARCHAR, VARCHAR)",
  context_attributes: "MAP(VARCHAR, VARCHAR)",
};

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
  daysBetween: (from, to) => `CAST(floor((epoch_ms(${to}) - epoch_ms(${from})) / 864e5) AS INTEGER)`,
  fingerprint: (text) => `hash(${text})`,
  orderedSum: (value, condition) => `list_sum(list_sort(list(${value}) FILTER (WHERE ${condition})))`,
  rowsOf(table, files, details = []) {
    const typed = {
      ...columns[table],
      ...Object.fromEntries(details.map((name) => [name, detailTypes[name]])),
    };
    const names = Object.keys(typed).map((name) => (name === "at" ? '"at" AS shown_at' : name));
    if (files.length === 0) {
      const none = Object.entries(typed).map(
        ([name, type]) => `CAST(NULL AS ${type}) AS ${name === "at" ? "shown_at" : name}`,
      );
      const where = "CAST(NULL AS VARCHAR) AS log_file, CAST(NULL AS VARCHAR) AS log_path";
      return `CREATE TEMPORARY VIEW ${table} AS
        SELECT ${none.join(", ")}, ${where}, CAST(NULL AS BIGINT) AS log_row WHERE false`;
    }
    const rows = `FROM read_parquet([${files.map(literal).join(", ")}], union_by_name = true, hive_partitioning = false)`;
    const where = "parse_filename(filename) AS log_file, filename AS log_path, file_row_number AS log_row";
    if (details.length === 0)
      return `CREATE TEMPORARY VIEW ${table} AS SELECT ${names.join(", ")}, ${where} ${rows}`;
    // Where no file has a column it is NULL in all.
    const none = details.map((name) => `CAST(NULL AS ${detailTypes[name]}) AS ${name}`);
    return `CREATE TEMPORARY VIEW ${table} AS SELECT ${names.join(", ")}, ${where}
      FROM (SELECT *, filename, file_row_number ${rows} UNION ALL BY NAME SELECT ${none.join(", ")} WHERE false) typed`;
  },
  create: ({ name, query, kept }) => `CREATE TEMPORARY ${kept ? "TABLE" : "VIEW"} ${name} AS ${query}`,
};

import { literal } from "../columnar/columnar.ts";
import type { Dialect, LogSources } from "./dialect.ts";

/** The columns that an analysis reads, as docs/outcome-log-format.md has them. */
const columns: Readonly<Record<keyof LogSources, Readonly<Record<string, string>>>> = {
  impressions: {
    request: "VARCHAR",
    at: "TIMESTAMP",
    model: "VARCHAR",
    model_version: "VARCHAR",
    candidate_count: "INTEGER",
    assignments: "STRUCT(experiment VARCHAR, arm VARCHAR, phase INTEGER, unit VARCHAR, overridden BOOLEAN)[]",
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
};

/** What needs no second look in a statement: a text with a zero byte would end it there. */
const plain = /^[\w .:/@-]*$/;

export const duckDbDialect: Dialect = {
  text: (value) =>
    plain.test(value) ? literal(value) : `decode(unhex('${Buffer.from(value, "utf8").toString("hex")}'))`,
  firstWhere: (list, name, condition) => `list_filter(${list}, lambda ${name}: ${condition})[1]`,
  fieldOf: (list, field) => `list_transform(${list}, lambda one: one.${field})`,
  contains: (list, value) => `list_contains(${list}, ${value})`,
  fingerprint: (text) => `hash(${text})`,
  orderedSum: (value, condition) => `list_sum(list_sort(list(${value}) FILTER (WHERE ${condition})))`,
  rowsOf(table, files) {
    const names = Object.keys(columns[table]).map((name) => (name === "at" ? '"at" AS shown_at' : name));
    if (files.length === 0) {
      const none = Object.entries(columns[table]).map(
        ([name, type]) => `CAST(NULL AS ${type}) AS ${name === "at" ? "shown_at" : name}`,
      );
      const where = "CAST(NULL AS VARCHAR) AS log_file, CAST(NULL AS VARCHAR) AS log_path";
      return `CREATE TEMPORARY VIEW ${table} AS
        SELECT ${none.join(", ")}, ${where}, CAST(NULL AS BIGINT) AS log_row WHERE false`;
    }
    return `CREATE TEMPORARY VIEW ${table} AS
      SELECT ${names.join(", ")}, parse_filename(filename) AS log_file, filename AS log_path, file_row_number AS log_row
      FROM read_parquet([${files.map(literal).join(", ")}], union_by_name = true, hive_partitioning = false)`;
  },
  create: ({ name, query, kept }) => `CREATE TEMPORARY ${kept ? "TABLE" : "VIEW"} ${name} AS ${query}`,
};

import { invalidArgument } from "../domain/error.ts";
import type { Dialect, LogSources } from "./dialect.ts";

/** The columns that an analysis reads, as docs/outcome-log-format.md has them; a list of no files has them too. */
const columns: Readonly<Record<keyof LogSources, Readonly<Record<string, string>>>> = {
  impressions: {
    request: "STRING",
    at: "TIMESTAMP_NTZ",
    model: "STRING",
    model_version: "STRING",
    candidate_count: "INT",
    assignments:
      "ARRAY<STRUCT<experiment: STRING, arm: STRING, phase: INT, unit: STRING, overridden: BOOLEAN>>",
    items: "ARRAY<STRUCT<id: STRING>>",
  },
  outcomes: {
    outcome: "STRING",
    request: "STRING",
    item: "STRING",
    type: "STRING",
    value: "DOUBLE",
    occurred_at: "TIMESTAMP_NTZ",
  },
};

/** Nothing that ends a literal or begins a variable in a script of `spark-sql`. */
const plain = /^[\w .:/@-]*$/;

/** Where files stand ends up between back-ticks, as a pattern in which a brace encloses alternatives. */
const plainPath = /^[^`'"${}[\]*?\\,;\n]+$/;

/** Spark 3.5 and later: before it files say nothing of their rows' places. */
export const sparkDialect: Dialect = {
  text: (value) =>
    plain.test(value)
      ? `'${value}'`
      : `decode(unhex('${Buffer.from(value, "utf8").toString("hex")}'), 'UTF-8')`,
  firstWhere: (list, name, condition) => `get(filter(${list}, ${name} -> ${condition}), 0)`,
  // Not a lambda: so Spark reads nothing else of the elements.
  fieldOf: (list, field) => `${list}.${field}`,
  contains: (list, value) => `array_contains(${list}, ${value})`,
  fingerprint: (text) => `xxhash64(${text})`,
  orderedSum: (value, condition) =>
    `aggregate(array_sort(collect_list(${value}) FILTER (WHERE ${condition})), 0e0, (total, one) -> total + one)`,
  rowsOf(table, files) {
    const named = (name: string): string => (name === "at" ? "shown_at" : name);
    const names = Object.keys(columns[table]).map((name) => `\`${name}\` AS ${named(name)}`);
    const sources = [...patternsOf(files)].map(
      (pattern) =>
        `SELECT ${names.join(", ")}, _metadata.file_name AS log_file, _metadata.file_path AS log_path,
                _metadata.row_index AS log_row FROM parquet.\`${pattern}\``,
    );
    const nothing = Object.entries(columns[table]).map(
      ([name, type]) => `CAST(NULL AS ${type}) AS ${named(name)}`,
    );
    const none = `SELECT ${nothing.join(", ")}, '' AS log_file, '' AS log_path, 0L AS log_row WHERE false`;
    return `CREATE TEMPORARY VIEW ${table} AS ${sources.length === 0 ? none : sources.join(" UNION ALL ")}`;
  },
  create: ({ name, query, kept }) =>
    kept ? `CACHE TABLE ${name} AS ${query}` : `CREATE TEMPORARY VIEW ${name} AS ${query}`,
};

/**
 * One pattern for each folder under which files stand by date, `<folder>/{date=…/….parquet,…}`.
 * @throws {SetlistError} INVALID_ARGUMENT for a folder whose name is a pattern itself.
 */
function patternsOf(files: readonly string[]): readonly string[] {
  const byFolder = new Map<string, string[]>();
  for (const file of files) {
    const parts = file.split("/");
    const folder = parts.slice(0, -2).join("/");
    if (!plainPath.test(file)) {
      throw invalidArgument(
        `${file}: Spark cannot be given a path with one of \` ' " $ { } [ ] * ? \\ , ; in it`,
      );
    }
    byFolder.set(folder, [...(byFolder.get(folder) ?? []), parts.slice(-2).join("/")]);
  }
  return [...byFolder].map(([folder, names]) =>
    names.length === 1 ? `${folder}/${names[0]}` : `${folder}/{${names.join(",")}}`,
  );
}

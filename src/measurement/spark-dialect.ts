import { invalidArgument } from "../domain/error.ts";
import { type Dialect, type LogSources, numberPattern } from "./dialect.ts";

/** The columns that an analysis reads, as docs/outcome-log-format.md has them; a list of no files has them too. */
const columns: Readonly<Record<keyof LogSources, Readonly<Record<string, string>>>> = {
  impressions: {
    request: "STRING",
    at: "TIMESTAMP_NTZ",
    surface: "STRING",
    user: "STRING",
    model: "STRING",
    model_version: "STRING",
    candidate_count: "INT",
    assignments:
      "ARRAY<STRUCT<experiment: STRING, arm: STRING, phase: INT, unit: STRING, propensity: DOUBLE, overridden: BOOLEAN>>",
    items: "ARRAY<STRUCT<id: STRING, position: INT, features: STRING>>",
    interleaving:
      "STRUCT<id: STRING, arms: ARRAY<STRUCT<arm: STRING, model: STRING, model_version: STRING>>, teams: ARRAY<STRING>, competitive: ARRAY<BOOLEAN>>",
    timings: "STRUCT<assign: DOUBLE, features: DOUBLE, queue: DOUBLE, inference: DOUBLE, rank: DOUBLE>",
    user_attributes: "MAP<STRING, STRING>",
    context_attributes: "MAP<STRING, STRING>",
  },
  outcomes: {
    outcome: "STRING",
    request: "STRING",
    item: "STRING",
    type: "STRING",
    value: "DOUBLE",
    occurred_at: "TIMESTAMP_NTZ",
  },
  counterfactuals: {
    request: "STRING",
    experiment: "STRING",
    phase: "INT",
    arm: "STRING",
    other: "STRING",
    agreeing: "INT",
    other_ids: "ARRAY<STRING>",
  },
};

const renamed: Readonly<Record<string, string>> = { at: "shown_at", user: "user_id" };

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
  placeIn: (list, value) => `array_position(${list}, ${value})`,
  at: (list, place) => `get(${list}, CAST(${place} - 1 AS INT))`,
  sizeOf: (list) => `size(${list})`,
  countOf: (list) => `size(filter(${list}, one -> one))`,
  countEqual: (list, value) => `size(filter(${list}, one -> one = ${value}))`,
  daysBetween: (from, to) =>
    `CAST(floor((unix_millis(CAST(${to} AS TIMESTAMP)) - unix_millis(CAST(${from} AS TIMESTAMP))) / 864e5) AS INT)`,
  fingerprint: (text) => `xxhash64(${text})`,
  orderedSum: (value, condition) =>
    `aggregate(array_sort(collect_list(${value}) FILTER (WHERE ${condition})), 0e0, (total, one) -> total + one)`,
  runningSum: (value, window) =>
    `aggregate(array_sort(collect_list(${value}) OVER (${window})), 0e0, (total, one) -> total + one)`,
  textTest: (test, text, part) => `${test.toLowerCase()}(${text}, ${part})`,
  jsonText: (json, name) => `get_json_object(${json}, "$['${name}']")`,
  numberIn: (text) => `CASE WHEN ${text} RLIKE '${numberPattern}' THEN TRY_CAST(${text} AS DOUBLE) END`,
  mapValue: (map, key) => `${map}[${key}]`,
  least: (fields, condition) => {
    const record = Object.entries(fields).map(([name, value]) => `'${name}', ${value}`);
    return `min(named_struct(${record.join(", ")})) FILTER (WHERE ${condition})`;
  },
  latest: (value, at, condition) =>
    `(max(named_struct('latest_at', ${at}, 'latest_value', ${value})) FILTER (WHERE ${condition})).latest_value`,
  rowsOf(table, files, until) {
    const named = (name: string): string => renamed[name] ?? name;
    const names = Object.keys(columns[table]).map((name) => `\`${name}\` AS ${named(name)}`);
    const where =
      "_metadata.file_name AS log_file, _metadata.file_path AS log_path, _metadata.row_index AS log_row";
    const nothing = Object.entries(columns[table]).map(
      ([name, type]) => `CAST(NULL AS ${type}) AS ${named(name)}`,
    );
    const none = `SELECT ${nothing.join(", ")}, '' AS log_file, '' AS log_path, 0L AS log_row WHERE false`;
    const cut =
      until === undefined
        ? ""
        : ` WHERE ${until.except ?? "false"} OR \`${until.column}\` <= TIMESTAMP_NTZ '${until.time}'`;
    const rows = `SELECT ${names.join(", ")}, ${where} FROM parquet.\`${patternOf(files)}\`${cut}`;
    return `CREATE TEMPORARY VIEW ${table} AS ${files.length === 0 ? none : rows}`;
  },
  create: ({ name, query, kept }) =>
    kept ? `CACHE TABLE ${name} AS ${query}` : `CREATE TEMPORARY VIEW ${name} AS ${query}`,
};

/**
 * One pattern for all files, `<what they begin with>/{…,…}`: a union of several is planned several times over.
 * @throws {SetlistError} INVALID_ARGUMENT for a path that is a pattern itself.
 */
function patternOf(files: readonly string[]): string {
  for (const file of files) {
    if (plainPath.test(file)) continue;
    throw invalidArgument(
      `${file}: Spark cannot be given a path with one of \` ' " $ { } [ ] * ? \\ , ; in it`,
    );
  }
  const folders = files.map((file) => file.split("/").slice(0, -1));
  const [first = []] = folders;
  const end = first.findIndex((part, i) => folders.some((folder) => folder[i] !== part));
  const common = first.slice(0, end < 0 ? undefined : end).join("/");
  const rest = files.map((file) => file.slice(common.length + 1));
  return rest.length === 1 ? `${common}/${rest[0]}` : `${common}/{${rest.join(",")}}`;
}

import type { Relation } from "./relation.ts";

/** The log as files of one machine or of a cluster, by the table they belong to. */
export interface LogSources {
  readonly impressions: readonly string[];
  readonly outcomes: readonly string[];
  /** None where left out. */
  readonly counterfactuals?: readonly string[] | undefined;
}

/** Only rows up to a time, UTC, `2026-11-22 12:00:00.123`. */
export interface LogUntil {
  readonly column: "at" | "occurred_at";
  readonly time: string;
  /** Rows for which this holds stay, whatever their time. */
  readonly except?: string | undefined;
}

/**
 * All in which the SQL of DuckDB and that of Spark differ where the analysis of the log is concerned. A text here is an
 * expression of that SQL.
 */
export interface Dialect {
  /** A text, whatever is in it. */
  text(value: string): string;
  /** The first element for which the condition on `name` holds, NULL where there is none. */
  firstWhere(list: string, name: string, condition: string): string;
  /** The list of one field of each element. */
  fieldOf(list: string, field: string): string;
  contains(list: string, value: string): string;
  /** Where in the list the value stands first, from 1; 0 or NULL where it does not. */
  placeIn(list: string, value: string): string;
  /** The element at a place from 1; NULL where there is none. */
  at(list: string, place: string): string;
  sizeOf(list: string): string;
  /** How many elements of a list of truths are true. */
  countOf(list: string): string;
  /** How many elements are the value. */
  countEqual(list: string, value: string): string;
  textTest(test: "startsWith" | "endsWith" | "contains", text: string, part: string): string;
  /** What stands under the name in an object of JSON, as text; NULL where there is none. */
  jsonText(json: string, name: string): string;
  /** The number that a text is, written in digits with or without an exponent; NULL where it is none. */
  numberIn(text: string): string;
  /** The value under the key of a map of texts, NULL where there is none. */
  mapValue(map: string, key: string): string;
  /** An aggregate: the least record, by its fields in their order. */
  least(fields: Readonly<Record<string, string>>, condition: string): string;
  /** An aggregate: of the rows for which the condition holds the latest one's value, of several at once the greatest. */
  latest(value: string, at: string, condition: string): string;
  /** 64 bits that equal texts share. */
  fingerprint(text: string): string;
  /**
   * An aggregate: the sum of the values for which the condition holds, added in their order from the least, so that
   * it has the same last digit in whichever order the rows come; NULL or 0 where there are none.
   */
  orderedSum(value: string, condition: string): string;
  /** The same over a window's rows, of those that have a value; 0 where none has. */
  runningSum(value: string, window: string): string;
  /**
   * The rows of the files, under these names: of impressions `request, shown_at, surface, user_id, model, model_version,
   * candidate_count, assignments, items, interleaving, timings, user_attributes, context_attributes`, of outcomes
   * `outcome, request, item, type, value, occurred_at`, of counterfactuals `request, experiment, phase, arm, other,
   * agreeing, other_ids`; and of each row where it stands, `log_file` (its name alone), `log_path` and `log_row`. A statement.
   */
  rowsOf(table: keyof LogSources, files: readonly string[], until?: LogUntil | undefined): string;
  /** How many whole days lie between two timestamps. */
  daysBetween(from: string, to: string): string;
  /** The statement that makes a relation. */
  create(relation: Relation): string;
}

/** With an exponent it is a double to both; a decimal would be compared and multiplied as one. */
export function doubleSql(value: number): string {
  return `(${value.toExponential()})`;
}

/** What both engines take for a number; alone they also take some that the other does not, such as `5d`. */
export const numberPattern = "^[-+]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][-+]?[0-9]+)?$";

/** Where a row of a relation stands in the log, as `rowsOf` has it. */
export const standsAt = ["log_file", "log_path", "log_row"] as const;

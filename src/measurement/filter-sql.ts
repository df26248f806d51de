/** A metric's filter as SQL over the columns `type_name`, `value`, `item`, `position` and `features` of an outcome. */
import type { FilterTerm, OutcomeField } from "../experiments/experiments.ts";
import { type Dialect, doubleSql } from "./dialect.ts";

/** What a filter reads beside the outcome itself. */
export interface FilterReads {
  readonly position: boolean;
  readonly features: boolean;
  readonly type: boolean;
}

const columns: Readonly<Record<OutcomeField, string>> = {
  "outcome.type": "type_name",
  "outcome.value": "value",
  "item.id": "CASE WHEN item <> '' THEN item END",
  "item.position": "position",
};

/** True, false, or NULL where CEL has an error: such an outcome does not count. */
export function filterSql(dialect: Dialect, term: FilterTerm): string {
  const sql = (one: FilterTerm): string => filterSql(dialect, one);
  switch (term.kind) {
    case "constant":
      return constantSql(dialect, term.value);
    case "field":
      return `(${columns[term.field]})`;
    case "feature": {
      const text = dialect.jsonText("features", term.name);
      if (term.type === "number") return numberSql(dialect.numberIn(text));
      return term.type === "boolean"
        ? `(CASE ${text} WHEN 'true' THEN true WHEN 'false' THEN false END)`
        : text;
    }
    case "has":
      return `(${sql(term.term)} IS NOT NULL)`;
    case "not":
      return `(NOT ${sql(term.term)})`;
    case "and":
    case "or":
      return `(${term.terms.map(sql).join(term.kind === "and" ? " AND " : " OR ")})`;
    case "compare": {
      const operator = { "==": "=", "!=": "<>" }[term.operator as string] ?? term.operator;
      return `(${sql(term.left)} ${operator} ${sql(term.right)})`;
    }
    case "in":
      return `(${sql(term.term)} IN (${term.options.map(sql).join(", ")}))`;
    case "text":
      return dialect.textTest(term.test, sql(term.text), sql(term.part));
  }
}

/** What is beyond a double is no number, though an engine would make infinity of it. */
function numberSql(number: string): string {
  return `(CASE WHEN abs(${number}) <= ${Number.MAX_VALUE} THEN ${number} END)`;
}

function constantSql(dialect: Dialect, value: string | number | boolean): string {
  if (typeof value === "boolean") return String(value);
  if (typeof value === "string") return dialect.text(value);
  return doubleSql(value);
}

/** Of all of them together. */
export function readsOf(terms: readonly FilterTerm[]): FilterReads {
  const read = (term: FilterTerm): FilterTerm[] => {
    switch (term.kind) {
      case "has":
      case "not":
        return [term, ...read(term.term)];
      case "and":
      case "or":
        return [term, ...term.terms.flatMap(read)];
      case "compare":
        return [term, ...read(term.left), ...read(term.right)];
      case "in":
        return [term, ...read(term.term)];
      case "text":
        return [term, ...read(term.text), ...read(term.part)];
      default:
        return [term];
    }
  };
  const all = terms.flatMap(read);
  const reads = (field: OutcomeField): boolean =>
    all.some((term) => term.kind === "field" && term.field === field);
  return {
    position: reads("item.position"),
    features: all.some((term) => term.kind === "feature"),
    type: reads("outcome.type"),
  };
}

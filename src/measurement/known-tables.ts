/** The tables in which an incremental analysis keeps what it knows of the log, in an attached DuckDB called `known`. */
import type { Experiment } from "../domain/experiment.ts";
import { metricLayouts } from "./metric-layout.ts";

/** Of these tables; a state of another one is made anew. */
export const stateVersion = 1;

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

/** Texts by 128 bits of them, which no two ids of a log share; of two functions, since MD5 is the dear one. */
export const keyOf = (text: string, a = "a", b = "b"): string =>
  `hash(${text}) AS ${a}, md5_number_lower(${text}) AS ${b}`;

export const temporary = (name: string, query: string): string =>
  `CREATE TEMPORARY TABLE ${name} AS ${query}`;

/** A table of the state with the columns of one that this session has made. */
export const shapedAs = (name: string, query: string): string =>
  `CREATE TABLE IF NOT EXISTS known.${name} AS SELECT * FROM (${query}) shape LIMIT 0`;

/** How a CSV file is divided, from its header line alone. */
import type { DuckDBConnection } from "@duckdb/node-api";
import { literal } from "../columnar/columnar.ts";
import { invalidArgument } from "../domain/error.ts";
import { rowIn } from "./scratch-database.ts";

const delimiters = [",", ";", "\t", "|"] as const;

/**
 * A FROM clause for a CSV file in which nothing is left to DuckDB's sniffer: at one odd line that takes every line
 * before it for a preamble and the odd one for the header. So each line has as many columns as the header, or DuckDB
 * says which one has not.
 * @param path as SQL reads it.
 */
export async function csvSource(database: DuckDBConnection, path: string): Promise<string> {
  const whole = `read_csv(${path}, auto_detect = false, header = false, delim = '\u0001', quote = '', escape = '', columns = {'line': 'VARCHAR'})`;
  const line = String((await rowIn(database, `SELECT line FROM ${whole} LIMIT 1`))["line"] ?? "");
  if (line.includes("\0")) throw invalidArgument("its header line holds a zero byte");
  const bare = line.replaceAll(/"[^"]*"/g, "");
  const times = (delimiter: string): number => bare.split(delimiter).length - 1;
  const delimiter = delimiters.reduce<string>((best, one) => (times(one) > times(best) ? one : best), ",");
  const read = (names: readonly string[], header: boolean): string =>
    `read_csv(${path}, auto_detect = false, header = ${header}, delim = ${literal(delimiter)}, quote = '"', ` +
    `escape = '"', hive_partitioning = false, columns = {${names.map((name) => `${literal(name)}: 'VARCHAR'`).join(", ")}})`;
  const places = Array.from({ length: times(delimiter) + 1 }, (_, i) => `column${i}`);
  const header = await rowIn(database, `SELECT * FROM ${read(places, false)} LIMIT 1`);
  return read(distinct(places.map((place) => String(header[place] ?? place))), true);
}

/** SQL takes `Y` and `y` for one name: the second of two becomes `y_1`. */
function distinct(names: readonly string[]): string[] {
  const taken = new Set<string>();
  // Of thousands of one name, each goes on counting where the one before has stopped.
  const counted = new Map<string, number>();
  return names.map((name) => {
    let free = name;
    let i = counted.get(name.toLowerCase()) ?? 1;
    for (; taken.has(free.toLowerCase()); i++) free = `${name}_${i}`;
    counted.set(name.toLowerCase(), i);
    taken.add(free.toLowerCase());
    return free;
  });
}

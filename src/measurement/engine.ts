import type { Dialect } from "./dialect.ts";

/** Numbers of 64 bits and more may come as texts; a column that is NULL may be missing. */
export type ResultRow = Readonly<Record<string, string | number | boolean | null | undefined>>;

/** The rows of several queries, by the name of the query. */
export type ResultRows = Readonly<Record<string, readonly ResultRow[]>>;

/** A NULL, and a column or a row that is not there, read as 0. */
export function numberIn(row: ResultRow | undefined, column: string): number {
  return Number(row?.[column] ?? 0);
}

/** Where the statements of an analysis run. */
export interface AnalysisEngine {
  readonly dialect: Dialect;
  /**
   * Runs the statements in their order, and then the queries, whose rows are few.
   * @param onProgress statements done, and how many there are with the queries.
   */
  run<Name extends string>(
    prepare: readonly string[],
    queries: Readonly<Record<Name, string>>,
    onProgress?: ((done: number, of: number) => void) | undefined,
  ): Promise<Readonly<Record<Name, readonly ResultRow[]>>>;
}

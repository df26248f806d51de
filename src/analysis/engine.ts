import type { Dialect } from "./dialect.ts";

/** Numbers of 64 bits and more may come as texts; a column that is NULL may be missing. */
export type ResultRow = Readonly<Record<string, string | number | boolean | null | undefined>>;

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

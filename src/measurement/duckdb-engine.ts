import { duckDbDialect } from "./duckdb-dialect.ts";
import type { AnalysisEngine, ResultRow } from "./engine.ts";
import { rowsIn, withScratchDatabase } from "./scratch-database.ts";

/** In this process. @param options on as many threads as there are cores where none are named. */
export const duckDbEngine = (options: { readonly threads?: number | undefined } = {}): AnalysisEngine => ({
  dialect: duckDbDialect,
  run: <Name extends string>(
    prepare: readonly string[],
    queries: Readonly<Record<Name, string>>,
    onProgress?: (done: number, of: number) => void,
  ) =>
    withScratchDatabase(options, async (database) => {
      const named = Object.entries<string>(queries);
      const all = prepare.length + named.length;
      let done = 0;
      // The order of rows matters nowhere, and keeping it costs memory.
      await database.run("SET preserve_insertion_order = false");
      for (const statement of prepare) {
        await database.run(statement);
        done += 1;
        onProgress?.(done, all);
      }
      const results: [string, readonly ResultRow[]][] = [];
      for (const [name, query] of named) {
        results.push([name, await rowsIn(database, query)]);
        done += 1;
        onProgress?.(done, all);
      }
      return Object.fromEntries(results) as Record<Name, readonly ResultRow[]>;
    }),
});

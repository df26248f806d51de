import { tmpdir } from "node:os";
import { join } from "node:path";
import { withDataLogFiles } from "../../src/app/data/log-files.ts";
import { withDatabase } from "../../src/columnar/columnar.ts";
import type { NumberedBook } from "./numbered-book.ts";

/**
 * Enters every id of a log, as its readers have it, Parquet where it is compacted and segments where not, into the books
 * of what must be there.
 */
export function findLoggedIds(
  dataDir: string,
  books: { readonly impressions: NumberedBook; readonly outcomes: NumberedBook },
): Promise<void> {
  const overflow = join(tmpdir(), `setlist-soak-audit-${process.pid}`);
  return withDataLogFiles(dataDir, (files) =>
    withDatabase({ overflow, threads: 1 }, async (database) => {
      const read = async (paths: readonly string[], column: string, book: NumberedBook): Promise<void> => {
        if (paths.length === 0) return;
        const list = paths.map((path) => `'${path.replaceAll("'", "''")}'`).join(", ");
        const result = await database.stream(`SELECT ${column} FROM read_parquet([${list}])`);
        for (
          let chunk = await result.fetchChunk();
          chunk !== null && chunk.rowCount > 0;
          chunk = await result.fetchChunk()
        ) {
          for (const id of chunk.getColumnValues(0)) book.found(String(id));
        }
      };
      await read(files.impressions, "request", books.impressions);
      await read(files.outcomes, "outcome", books.outcomes);
    }),
  );
}

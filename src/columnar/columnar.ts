/**
 * Segments of the log as Parquet files by date, each segment exactly once; docs/teacher-labels.md and
 * docs/outcome-log-format.md have the layouts. And the DuckDB that writes them, which the analysis has for its tables.
 */
export { type ColumnarStore, openColumnarStore, type Partitioned, type Staging } from "./columnar-store.ts";
export { identifier, literal, withDatabase } from "./database.ts";
export { partitionDate } from "./partition-date.ts";
export { RowAppender } from "./row-appender.ts";

/**
 * Segments of the log as Parquet files by date, each segment exactly once; docs/teacher-labels.md and
 * docs/outcome-log-format.md have the layouts.
 */
export { type ColumnarStore, openColumnarStore, type Partitioned } from "./columnar-store.ts";
export { RowAppender } from "./row-appender.ts";
export { identifier, literal, type Staging, withStaging } from "./staging.ts";

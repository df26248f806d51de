/**
 * Segments of the log as Parquet files by date, each segment exactly once; docs/teacher-labels.md and
 * docs/outcome-log-format.md have the layouts. And the DuckDB that writes them, which the analysis has for its tables.
 */

export type { Cell } from "./column-writer.ts";
export { type ColumnarStore, openColumnarStore } from "./columnar-store.ts";
export { identifier, literal, type Staging, withDatabase } from "./database.ts";
export { lockFolder } from "./folder-lock.ts";
export { type Marker, readMarkers } from "./marker.ts";
export { type Partitioned, writePartitions } from "./partition.ts";
export { partitionDate } from "./partition-date.ts";
export { lockReaders, shareReading } from "./readers-lock.ts";
export { RowAppender } from "./row-appender.ts";
export { withTemporaryFolder } from "./temporary-folder.ts";

import { Counter, Gauge, type Registry } from "prom-client";

/** What a server's compaction says of itself. */
export interface CompactionState {
  /** Sealed segments that are not Parquet yet. */
  readonly waiting: number;
  /** Segments made Parquet, since the server started. */
  readonly compacted: number;
  /** Since the server started. */
  readonly failures: number;
  /** ms since 1970, UTC; undefined where none has succeeded yet. */
  readonly lastSuccessAt: number | undefined;
  readonly deletedLogBytes: number;
  readonly deletedParquetBytes: number;
}

/** Says, whenever the metrics are read, how the compaction is. */
export function compactionMetrics(registry: Registry, state: CompactionState): void {
  const registers = [registry];
  new Gauge({
    name: "setlist_compaction_segments_waiting",
    help: "Sealed segments of the log that are not Parquet yet",
    registers,
    collect() {
      this.set(state.waiting);
    },
  });
  new Counter({
    name: "setlist_compaction_segments_total",
    help: "Segments of the log that were made Parquet",
    registers,
    collect() {
      this.reset();
      this.inc(state.compacted);
    },
  });
  new Gauge({
    name: "setlist_compaction_last_success_timestamp_seconds",
    help: "When the log was last compacted without a fault, or looked through with nothing to do; 0 where never since the start",
    registers,
    collect() {
      this.set((state.lastSuccessAt ?? 0) / 1_000);
    },
  });
  new Counter({
    name: "setlist_compaction_failures_total",
    help: "Compactions of the log that failed; the next look tries again",
    registers,
    collect() {
      this.reset();
      this.inc(state.failures);
    },
  });
  new Counter({
    name: "setlist_retention_deleted_bytes_total",
    help: "Bytes that retention deleted, of the log's segments and of their Parquet: log, parquet",
    labelNames: ["of"],
    registers,
    collect() {
      this.reset();
      this.inc({ of: "log" }, state.deletedLogBytes);
      this.inc({ of: "parquet" }, state.deletedParquetBytes);
    },
  });
}

import type { SetlistConfig } from "../../config.ts";

/** What of the configuration says how long the log and its Parquet are kept. */
export interface RetentionConfig {
  readonly log: Pick<SetlistConfig["log"], "retentionAgeMs" | "retentionBytesMax" | "dedupeWindowMs">;
  readonly warehouse: Pick<SetlistConfig["warehouse"], "retentionAgeMs" | "retentionBytesMax">;
  /** With brokers, no segment is deleted that they have not. */
  readonly shipping: Pick<SetlistConfig["shipping"], "brokers">;
}

/** Nothing but that: what else stands there is nobody else's business. */
export function retentionOf({ log, warehouse, shipping }: RetentionConfig): RetentionConfig {
  const of = ({
    retentionAgeMs,
    retentionBytesMax,
  }: RetentionConfig["warehouse"]): RetentionConfig["warehouse"] => ({
    retentionAgeMs,
    retentionBytesMax,
  });
  return {
    log: { ...of(log), dedupeWindowMs: log.dedupeWindowMs },
    warehouse: of(warehouse),
    shipping: { brokers: shipping.brokers },
  };
}

import { setTimeout as sleep } from "node:timers/promises";
import { SetlistError } from "../../domain/error.ts";
import { logIdentity, logSegments } from "../../outcomes/outcomes.ts";
import { shippedThrough } from "../../shipping/position-file.ts";
import { type Compaction, compactLog } from "../../warehouse/warehouse.ts";
import { systemClock } from "../system-clock.ts";
import { existingLog, foldersOf } from "./data-directory.ts";
import type { RetentionConfig } from "./retention-config.ts";
import { withStorageSentences } from "./storage-failure.ts";

export type { Compaction } from "../../warehouse/warehouse.ts";

export interface CompactDataOptions {
  readonly dataDir: string;
  /** What is deleted afterwards; nothing where left out. */
  readonly retention?: RetentionConfig | undefined;
  /** How long to wait for another process that compacts there, ms. */
  readonly waitMsMax?: number;
  readonly onProgress?: (done: number, of: number) => void;
  readonly onWarning?: (message: string) => void;
}

const pollMs = 200;

/**
 * Writes the sealed segments of a data directory's log as Parquet below its `warehouse`.
 * @throws {SetlistError} NOT_FOUND where there is no such directory, or no log in it; UNAVAILABLE where it cannot be used;
 *   ABORTED where another process still compacts there.
 */
export async function compactDataDirectory(options: CompactDataOptions): Promise<Compaction> {
  const { dataDir, waitMsMax = 0 } = options;
  for (const began = performance.now(); ; await sleep(pollMs)) {
    try {
      return await withStorageSentences(dataDir, () => compactNow(options));
    } catch (error) {
      const isBusy = error instanceof SetlistError && error.code === "ABORTED";
      if (!isBusy || performance.now() - began >= waitMsMax) throw error;
    }
  }
}

async function compactNow(options: CompactDataOptions): Promise<Compaction> {
  const { dataDir, retention, onProgress, onWarning = () => undefined } = options;
  const log = existingLog(dataDir);
  const { warehouse, shipping } = foldersOf(dataDir);
  return compactLog({
    segments: () => logSegments(log),
    warehouse,
    retention: retention && {
      log: boundsOf(retention.log),
      warehouse: boundsOf(retention.warehouse),
      dedupeWindowMs: retention.log.dedupeWindowMs,
      now: () => systemClock.now(),
      ...(retention.shipping.brokers.length > 0 && {
        shippedThrough: async () => shippedThrough(shipping, await logIdentity(log)),
      }),
      onWarning,
    },
    onProgress,
  });
}

function boundsOf({ retentionAgeMs, retentionBytesMax }: RetentionConfig["warehouse"]): {
  readonly ageMs: number | undefined;
  readonly bytesMax: number | undefined;
} {
  return { ageMs: retentionAgeMs, bytesMax: retentionBytesMax };
}

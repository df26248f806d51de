/** A log shipped as a server has it shipped, and what Kafka then holds, for tests. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { onTestFinished } from "vitest";
import { LogShipping } from "../../src/app/beside/log-shipping.ts";
import { ingestToFolder } from "../../src/app/data/ingest-topics.ts";
import type { ShippingSettings } from "../../src/domain/kafka.ts";
import type { OpenedOutcomeLog } from "../../src/outcomes/outcomes.ts";
import type { IngestProgress } from "../../src/shipping/ingest.ts";
import type { ShippingMetrics } from "../../src/telemetry/telemetry.ts";

type ShipperStatus = Parameters<ShippingMetrics["note"]>[0];

export function clusterOf(broker: string, topicPrefix: string): ShippingSettings {
  return {
    brokers: [broker],
    topicPrefix,
    clientId: "setlist-test",
    securityProtocol: "PLAINTEXT",
    saslMechanism: "PLAIN",
    compression: "zstd",
    bytesPerSecondMax: 1_000_000_000,
  };
}

export interface ShippedLog {
  /** What the shipper said last. */
  status(): ShipperStatus | undefined;
  /** What it said at any time. */
  readonly warnings: readonly string[];
  /** Resolves once everything that is on the disk is acknowledged. */
  caughtUp(records: number): Promise<void>;
  close(): Promise<void>;
}

/** Has `log` shipped by a process of its own; closed when the test is over, should it still run. */
export function shipLog(dataDir: string, log: OpenedOutcomeLog, shipping: ShippingSettings): ShippedLog {
  let status: ShipperStatus | undefined;
  let recordsBefore = 0;
  const warnings: string[] = [];
  const running = new LogShipping({
    dataDir,
    shipping,
    onWarning: (message, fields) => warnings.push(`${message} ${JSON.stringify(fields ?? {})}`),
    metrics: {
      started() {
        recordsBefore += status?.records ?? 0;
        status = undefined;
      },
      note(latest) {
        status = latest;
      },
    },
  });
  running.begin(log);
  let closed: Promise<void> | undefined;
  const close = (): Promise<void> => (closed ??= running.close());
  onTestFinished(close);
  return {
    status: () => status,
    warnings,
    close,
    async caughtUp(records) {
      // What a killed shipper has sent and not said is sent again: so there may be more.
      while (recordsBefore + (status?.records ?? 0) < records || status?.lagBytes !== 0) await sleep(20);
    },
  };
}

/** Lands everything that the topics hold by now below `out`. */
export async function ingestAll(
  cluster: ShippingSettings,
  out: string,
  batchBytesMax = 1_000_000,
): Promise<IngestProgress> {
  return ingestToFolder({
    cluster,
    out,
    batchBytesMax,
    batchMsMax: 60_000,
    once: true,
    signal: new AbortController().signal,
    onProgress: () => undefined,
    onWarning: () => undefined,
  });
}

/** The processes that ship the log of a data directory's server. */
export function shippersOf(parent: number): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        const parentOf = Number(readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ")[1]);
        return (
          parentOf === parent && readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("shipping-process")
        );
      } catch {
        return false;
      }
    });
}

/** The files that the markers of a warehouse name, of one table; none where it is not made yet. */
export function markedFiles(out: string, table: string): string[] {
  const warehouse = join(out, "warehouse");
  if (!existsSync(join(warehouse, "done"))) return [];
  return readdirSync(join(warehouse, "done"))
    .filter((name) => name.endsWith(".json"))
    .flatMap(
      (name) =>
        (JSON.parse(readFileSync(join(warehouse, "done", name), "utf8")) as { files: string[] }).files,
    )
    .filter((file) => file.startsWith(`${table}/`))
    .map((file) => join(warehouse, file));
}

import { Counter, Gauge, type Registry } from "prom-client";
import type { ShippingStatus } from "../domain/shipping.ts";

export interface ShippingMetrics {
  /** Another shipper begins, and counts from 0. */
  started(): void;
  note(status: ShippingStatus): void;
}

/** Made where the log is shipped: elsewhere its lag would look like none. */
export function shippingMetrics(registry: Registry): ShippingMetrics {
  const registers = [registry];
  const counter = (name: string, help: string): Counter => new Counter({ name, help, registers });
  const gauge = (name: string, help: string): Gauge => new Gauge({ name, help, registers });
  const records = counter("setlist_shipping_records_total", "Records that Kafka has acknowledged");
  const bytes = counter("setlist_shipping_bytes_total", "Bytes sent to Kafka, before compression");
  const failures = counter(
    "setlist_shipping_failures_total",
    "Requests to Kafka that failed and were repeated",
  );
  const starts = counter(
    "setlist_shipping_starts_total",
    "Shipping processes that were started; 1 where none ended",
  );
  const lagBytes = gauge(
    "setlist_shipping_lag_bytes",
    "Bytes of the log on the disk that Kafka has not acknowledged",
  );
  const lagRecords = gauge(
    "setlist_shipping_lag_records",
    "Records that Kafka has not acknowledged, by the mean size of those sent lately",
  );
  const lagSeconds = gauge(
    "setlist_shipping_lag_seconds",
    "How long the oldest record that Kafka has not acknowledged is in the log",
  );
  const success = gauge(
    "setlist_shipping_last_success_timestamp_seconds",
    "When Kafka last acknowledged something, seconds since 1970; 0 where it has not yet",
  );
  const through = gauge(
    "setlist_shipping_shipped_through_segment",
    "Every segment of the log up to this number is in Kafka",
  );
  let last = { records: 0, bytes: 0, failures: 0 };
  return {
    started() {
      starts.inc();
      last = { records: 0, bytes: 0, failures: 0 };
    },
    note(status) {
      records.inc(status.records - last.records);
      bytes.inc(status.bytes - last.bytes);
      failures.inc(status.failures - last.failures);
      last = status;
      lagBytes.set(status.lagBytes);
      lagRecords.set(status.lagRecords);
      lagSeconds.set(status.lagSeconds);
      if (status.lastSuccessAt !== undefined) success.set(status.lastSuccessAt / 1_000);
      through.set(status.shippedThrough);
    },
  };
}

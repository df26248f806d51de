/** A record as JSON has it: the fields of the record as they are, but for what JSON has no form of. */
import type { Impression } from "../domain/impression.ts";
import type { LogRecord } from "../domain/outcome-log.ts";
import type { ServedFeature, ServedFeatures } from "../domain/served-features.ts";

/** Served features with their values in a list: `numbers` of float32, `indices` of int32. */
interface WrittenFeature extends Omit<ServedFeature, "values"> {
  readonly numbers?: readonly number[];
  readonly indices?: readonly number[];
}

interface WrittenImpression extends Omit<Impression, "served"> {
  readonly served?: readonly (Omit<ServedFeatures, "features"> & {
    readonly features: readonly WrittenFeature[];
  })[];
}

export function recordJson(record: LogRecord): string {
  if (record.kind !== "impression" || record.served === undefined) return JSON.stringify(record);
  const written: WrittenImpression = {
    ...record,
    served: record.served.map((one) => ({
      ...one,
      features: one.features.map(({ values, ...feature }) => ({
        ...feature,
        ...(values instanceof Float32Array ? { numbers: [...values] } : { indices: [...values] }),
      })),
    })),
  };
  return JSON.stringify(written);
}

/** @param parsed of `recordJson`, and checked. */
export function recordOfJson(parsed: object): LogRecord {
  const record = parsed as Exclude<LogRecord, Impression> | WrittenImpression;
  if (record.kind !== "impression") return record;
  const { served, ...impression } = record;
  return {
    ...impression,
    ...(served !== undefined && { served: served.map(readServed) }),
    // JSON has null in a list where there was nothing.
    ...(impression.sent?.items !== undefined && {
      sent: { ...impression.sent, items: impression.sent.items.map((item) => item ?? undefined) },
    }),
  };
}

function readServed(written: NonNullable<WrittenImpression["served"]>[number]): ServedFeatures {
  return {
    ...written,
    features: written.features.map(({ numbers, indices, ...feature }) => ({
      ...feature,
      values: numbers === undefined ? Int32Array.from(indices ?? []) : Float32Array.from(numbers),
    })),
  };
}

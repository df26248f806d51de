import type { CounterfactualRecord } from "../domain/counterfactual.ts";
import type { RecordReader } from "./record-reader.ts";
import type { RecordWriter } from "./record-writer.ts";

/** Writes everything behind the kind; docs/outcome-log-format.md has the layout. */
export function writeCounterfactual(to: RecordWriter, record: CounterfactualRecord): void {
  const { model, otherModel, otherIds } = record;
  to.string(record.requestId);
  to.float64(record.at);
  to.string(record.surface);
  to.string(record.experiment);
  to.varint(record.phase);
  to.string(record.arm);
  to.string(model.name);
  to.string(model.version);
  to.string(record.other);
  to.string(otherModel.name);
  to.string(otherModel.version);
  to.float64(record.propensity);
  to.varint(record.candidateCount);
  to.varint(record.topK);
  to.float64(record.overlap);
  to.varint(record.agreeing);
  to.varint(otherIds.length);
  for (const id of otherIds) to.string(id);
}

/** @throws {RangeError} where the payload is shorter than it says. */
export function readCounterfactual(from: RecordReader): CounterfactualRecord {
  return {
    kind: "counterfactual",
    requestId: from.string(),
    at: from.float64(),
    surface: from.string(),
    experiment: from.string(),
    phase: from.varint(),
    arm: from.string(),
    model: { name: from.string(), version: from.string() },
    other: from.string(),
    otherModel: { name: from.string(), version: from.string() },
    propensity: from.float64(),
    candidateCount: from.varint(),
    topK: from.varint(),
    overlap: from.float64(),
    agreeing: from.varint(),
    otherIds: readIds(from),
  };
}

function readIds(from: RecordReader): string[] {
  const ids: string[] = [];
  for (let left = from.varint(); left > 0; left--) ids.push(from.string());
  return ids;
}

import type { ShadowComparison } from "../domain/shadow.ts";
import type { RecordReader } from "./record-reader.ts";
import type { RecordWriter } from "./record-writer.ts";

/** The one bit of the flags. */
const hasTau = 1;

/** Writes everything behind the kind; docs/outcome-log-format.md has the layout. */
export function writeShadow(to: RecordWriter, comparison: ShadowComparison): void {
  const { model, shadow, tau } = comparison;
  to.string(comparison.requestId);
  to.uint8(tau === undefined ? 0 : hasTau);
  to.float64(comparison.at);
  to.string(comparison.surface);
  to.string(model.name);
  to.string(model.version);
  to.string(shadow.name);
  to.string(shadow.version);
  to.varint(comparison.candidateCount);
  if (tau !== undefined) to.float64(tau);
  to.varint(comparison.topK);
  to.float64(comparison.overlap);
  to.float64(comparison.scoreDifference);
}

/** @throws {RangeError} where the payload is shorter than it says. */
export function readShadow(from: RecordReader): ShadowComparison {
  const requestId = from.string();
  const flags = from.uint8();
  return {
    kind: "shadow",
    requestId,
    at: from.float64(),
    surface: from.string(),
    model: { name: from.string(), version: from.string() },
    shadow: { name: from.string(), version: from.string() },
    candidateCount: from.varint(),
    tau: (flags & hasTau) === 0 ? undefined : from.float64(),
    topK: from.varint(),
    overlap: from.float64(),
    scoreDifference: from.float64(),
  };
}

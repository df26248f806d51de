import type { Outcome } from "../domain/outcome.ts";
import type { RecordReader } from "./record-reader.ts";
import type { RecordWriter } from "./record-writer.ts";

/** Writes everything behind the kind; docs/outcome-log-format.md has the layout. */
export function writeOutcome(to: RecordWriter, outcome: Outcome): void {
  to.string(outcome.outcomeId);
  to.string(outcome.requestId);
  to.string(outcome.itemId);
  to.string(outcome.type);
  to.float64(outcome.value);
  to.float64(outcome.occurredAt);
  to.float64(outcome.receivedAt);
}

/** @throws {RangeError} where the payload is shorter than it says. */
export function readOutcome(from: RecordReader): Outcome {
  return {
    kind: "outcome",
    outcomeId: from.string(),
    requestId: from.string(),
    itemId: from.string(),
    type: from.string(),
    value: from.float64(),
    occurredAt: from.float64(),
    receivedAt: from.float64(),
  };
}

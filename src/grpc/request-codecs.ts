import type { Attributes, AttributeValue } from "../domain/feature.ts";
import type { MessageReader } from "./message-reader.ts";
import { readSession } from "./rank-request-codec.ts";
import { readAttribute, readEntry } from "./value-codec.ts";

/** `setlist.v1.RecordRequest`: each outcome as JSON would have it, since serving checks each alone. */
export function readRecordRequest(reader: MessageReader): readonly unknown[] {
  const outcomes: unknown[] = [];
  const { end } = reader;
  for (let number = reader.next(end); number !== 0; number = reader.next(end)) {
    if (number === 1) outcomes.push(readOutcome(reader));
    else reader.skip();
  }
  return outcomes;
}

function readOutcome(reader: MessageReader): unknown {
  const outcome: Record<string, string | number> = { outcomeId: "", requestId: "", itemId: "", type: "" };
  const end = reader.enter();
  for (let number = reader.next(end); number !== 0; number = reader.next(end)) {
    if (number === 1) outcome["outcomeId"] = reader.text();
    else if (number === 2) outcome["requestId"] = reader.text();
    else if (number === 3) outcome["itemId"] = reader.text();
    else if (number === 4) outcome["type"] = reader.text();
    else if (number === 5) outcome["value"] = reader.float64();
    else if (number === 6) outcome["occurredAt"] = reader.text();
    else reader.skip();
  }
  return outcome;
}

/** `setlist.v1.ListExperimentsRequest`, which has no field yet. */
export function readNothing(reader: MessageReader): undefined {
  const { end } = reader;
  for (let number = reader.next(end); number !== 0; number = reader.next(end)) reader.skip();
}

/** The one `id` of `setlist.v1.GetExperimentRequest` and `GetExperimentHistoryRequest`. */
export function readId(reader: MessageReader): string {
  let id = "";
  const { end } = reader;
  for (let number = reader.next(end); number !== 0; number = reader.next(end)) {
    if (number === 1) id = reader.text();
    else reader.skip();
  }
  return id;
}

/** `setlist.v1.AssignRequest`. */
export interface AssignRequest {
  readonly unit: string;
  readonly user: Attributes;
  readonly context: Attributes;
  readonly session: string | undefined;
  readonly request: string | undefined;
}

export function readAssignRequest(reader: MessageReader): AssignRequest {
  const user: Record<string, AttributeValue> = {};
  const context: Record<string, AttributeValue> = {};
  let unit = "";
  let session: { id: string } | undefined;
  let request: string | undefined;
  const { end } = reader;
  for (let number = reader.next(end); number !== 0; number = reader.next(end)) {
    if (number === 1) unit = reader.text();
    else if (number === 2) readAssignAttributes(reader, user, context);
    else if (number === 3) {
      session ??= { id: "" };
      readSession(reader, session);
    } else if (number === 4) request = reader.text();
    else reader.skip();
  }
  return { unit, user, context, session: session?.id, request };
}

function readAssignAttributes(
  reader: MessageReader,
  user: Record<string, AttributeValue>,
  context: Record<string, AttributeValue>,
): void {
  const end = reader.enter();
  for (let number = reader.next(end); number !== 0; number = reader.next(end)) {
    if (number === 1) readEntry(reader, user, "attributes.user", readAttribute);
    else if (number === 2) readEntry(reader, context, "attributes.context", readAttribute);
    else reader.skip();
  }
}

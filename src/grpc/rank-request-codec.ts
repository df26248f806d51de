import { invalidArgument } from "../domain/error.ts";
import type { AttributeValue, FeatureValue } from "../domain/feature.ts";
import type { IdBytes } from "../domain/id-bytes.ts";
import type { WireRankRequest } from "../serving/serving.ts";
import type { MessageReader } from "./message-reader.ts";
import { readAttribute, readEntry, readFeature } from "./value-codec.ts";

/**
 * `setlist.v1.RankRequest`. What is empty in protobuf is absent: on the wire there is no difference.
 * @throws {SetlistError} INVALID_ARGUMENT where a field that must be there is not.
 */
export function readRankRequest(reader: MessageReader): WireRankRequest {
  const draft = emptyDraft();
  readFields(reader, reader.end, draft);
  return finished(draft);
}

/**
 * The request inside a `setlist.v1.RankStreamRequest`, which holds nothing else yet.
 * @throws {SetlistError} as `readRankRequest`.
 */
export function readRankStreamRequest(reader: MessageReader): WireRankRequest {
  const draft = emptyDraft();
  const { end } = reader;
  for (let number = reader.next(end); number !== 0; number = reader.next(end)) {
    if (number === 1) readFields(reader, reader.enter(), draft);
    else reader.skip();
  }
  return finished(draft);
}

function emptyDraft(): Draft {
  return { surface: "", user: undefined, context: undefined, explain: false };
}

function readFields(reader: MessageReader, end: number, draft: Draft): void {
  for (let number = reader.next(end); number !== 0; number = reader.next(end)) {
    readField(reader, number, draft);
  }
}

/** What the contract asks for is there. */
function finished(draft: Draft): WireRankRequest {
  const { surface, user } = draft;
  if (surface === "") throw invalidArgument("surface: expected, but missing");
  if (user === undefined) throw invalidArgument("user: expected, but missing");
  return { ...draft, surface, user };
}

function readField(reader: MessageReader, number: number, draft: Draft): void {
  switch (number) {
    case 1:
      draft.requestId = reader.text();
      break;
    case 2:
      draft.surface = reader.text();
      break;
    // A message that comes twice is merged, as protobuf has it.
    case 3:
      draft.user ??= { id: "", attributes: {}, features: {} };
      readUser(reader, draft.user);
      break;
    case 4:
      draft.context ??= { attributes: {}, features: {} };
      readContext(reader, draft.context);
      break;
    case 5:
      draft.candidates ??= [];
      draft.candidates.push(readCandidate(reader, draft.candidates.length));
      break;
    case 6:
      draft.candidateIds ??= reader.ids();
      reader.addTo(draft.candidateIds);
      break;
    case 7:
      draft.limit = reader.int32();
      break;
    case 8:
      draft.timeoutMs = reader.float64();
      break;
    case 9:
      draft.explain = reader.flag();
      break;
    case 10:
      draft.session ??= { id: "" };
      readSession(reader, draft.session);
      break;
    case 12:
      draft.interleaveId = reader.text();
      break;
    default:
      reader.skip();
  }
}

function readUser(reader: MessageReader, user: Entity & { id: string }): void {
  const end = reader.enter();
  for (let number = reader.next(end); number !== 0; number = reader.next(end)) {
    if (number === 1) user.id = reader.text();
    else if (number === 2) readEntry(reader, user.attributes, "user.attributes", readAttribute);
    else if (number === 3) readEntry(reader, user.features, "user.features", readFeature);
    else reader.skip();
  }
}

/** `setlist.v1.Session`. */
export function readSession(reader: MessageReader, session: { id: string }): void {
  const end = reader.enter();
  for (let number = reader.next(end); number !== 0; number = reader.next(end)) {
    if (number === 1) session.id = reader.text();
    else reader.skip();
  }
}

function readContext(reader: MessageReader, context: Entity): void {
  const end = reader.enter();
  for (let number = reader.next(end); number !== 0; number = reader.next(end)) {
    if (number === 1) readEntry(reader, context.attributes, "context.attributes", readAttribute);
    else if (number === 2) readEntry(reader, context.features, "context.features", readFeature);
    else reader.skip();
  }
}

function readCandidate(reader: MessageReader, index: number): CandidateDraft {
  const candidate: CandidateDraft = { id: "", features: undefined };
  const end = reader.enter();
  for (let number = reader.next(end); number !== 0; number = reader.next(end)) {
    if (number === 1) {
      candidate.id = reader.text();
    } else if (number === 2) {
      candidate.features ??= {};
      readEntry(reader, candidate.features, `candidates[${index}].features`, readFeature);
    } else {
      reader.skip();
    }
  }
  return candidate;
}

interface Entity {
  readonly attributes: Record<string, AttributeValue>;
  readonly features: Record<string, FeatureValue>;
}

interface CandidateDraft {
  id: string;
  features: Record<string, FeatureValue> | undefined;
}

interface Draft {
  requestId?: string;
  surface: string;
  user: (Entity & { id: string }) | undefined;
  context: Entity | undefined;
  candidates?: CandidateDraft[];
  candidateIds?: IdBytes;
  limit?: number;
  timeoutMs?: number;
  explain: boolean;
  interleaveId?: string;
  session?: { id: string };
}

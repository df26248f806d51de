/** A record of the log as a message of Kafka, and back; docs/fleet-log.md has the layout. */
import type { MessageToProduce } from "@platformatic/kafka";
import { SetlistError } from "../domain/error.ts";
import type { LogPlace, PlacedRecord } from "../domain/log-reading.ts";
import type { LogRecord } from "../domain/outcome-log.ts";
import { checkShippedRecord } from "./message-schema.ts";
import { recordJson, recordOfJson } from "./record-json.ts";
import type { RecordTopics } from "./topics.ts";

/** Rises when a reader of the old version could misread the values. */
const schemaVersion = 1;

const header = {
  schema: Buffer.from("schema"),
  kind: Buffer.from("kind"),
  log: Buffer.from("log"),
  place: Buffer.from("place"),
};
const schema = Buffer.from(String(schemaVersion));
const kinds = Object.fromEntries(
  ["impression", "outcome", "shadow", "counterfactual"].map((kind) => [kind, Buffer.from(kind)]),
) as Readonly<Record<LogRecord["kind"], Buffer>>;

/** What Kafka adds to a message's key, value and headers, about, in bytes. */
const messageBytes = 24;

export interface EncodedMessage {
  readonly message: MessageToProduce;
  /** About what it takes on the wire, before compression. */
  readonly bytes: number;
}

/** Makes the messages of one log. */
export class MessageEncoder {
  readonly #topics: RecordTopics;
  readonly #log: Buffer;
  readonly #now: () => number;

  /** @param log its identity. */
  constructor(topics: RecordTopics, log: string, now: () => number) {
    this.#topics = topics;
    this.#log = Buffer.from(log);
    this.#now = now;
  }

  encode({ record, place }: PlacedRecord): EncodedMessage {
    const key = Buffer.from(record.requestId);
    const value = Buffer.from(recordJson(record));
    const at = Buffer.from(`${place.segment}/${place.salt}/${place.offset}`);
    const headers = new Map([
      [header.schema, schema],
      [header.kind, kinds[record.kind]],
      [header.log, this.#log],
      [header.place, at],
    ]);
    return {
      message: {
        topic: this.#topics[record.kind],
        key,
        value,
        headers,
        timestamp: BigInt(this.#time(record)),
      },
      bytes: key.length + value.length + headersBytes + this.#log.length + at.length + messageBytes,
    };
  }

  /** Brokers refuse times of the future, which a clock that was put back has written. */
  #time(record: LogRecord): number {
    const at = record.kind === "outcome" ? record.receivedAt : record.at;
    return Math.trunc(Math.min(at, this.#now()));
  }
}

const headersBytes = 40;

/** Where a shipped record stood: no two records of a fleet have the same. */
export interface RecordIdentity extends LogPlace {
  readonly log: string;
  readonly salt: number;
}

export interface ShippedRecord {
  readonly record: LogRecord;
  readonly identity: RecordIdentity;
}

/**
 * The record of a message, or in words why it is none: anybody may write to a topic.
 * @throws {SetlistError} INTERNAL where a later Setlist wrote it.
 */
export function decodeMessage(
  value: Buffer | null,
  headers: readonly (readonly [Buffer | null, Buffer | null])[],
): ShippedRecord | { readonly fault: string } {
  const texts = new Map(headers.map(([name, text]) => [String(name), String(text)]));
  const version = Number(texts.get("schema"));
  const identity = identityOf(texts.get("log"), texts.get("place"));
  if (!(Number.isInteger(version) && version >= 1) || identity === undefined)
    return { fault: "it has no headers of ours" };
  if (version > schemaVersion) {
    throw new SetlistError(
      "INTERNAL",
      `a message of schema ${version}, and this Setlist reads 1 to ${schemaVersion}: use the one that wrote it`,
    );
  }
  const parsed = parseJson(value);
  if (parsed === undefined) return { fault: "its value is no JSON" };
  const fault = checkShippedRecord(parsed);
  if (fault !== undefined) return { fault };
  return { record: recordOfJson(parsed as object), identity };
}

function identityOf(log: string | undefined, place: string | undefined): RecordIdentity | undefined {
  const match = /^(\d{1,10})\/(\d{1,10})\/(\d{1,10})$/.exec(place ?? "");
  if (match === null || log === undefined || !/^[0-9a-f-]{36}$/.test(log)) return undefined;
  return { log, segment: Number(match[1]), salt: Number(match[2]), offset: Number(match[3]) };
}

function parseJson(value: Buffer | null): unknown {
  try {
    return JSON.parse(String(value));
  } catch {
    return undefined;
  }
}

import { isUtf8 } from "node:buffer";
import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";
import { invalidArgument, SetlistError } from "../domain/error.ts";
import { IdBytes } from "../domain/id-bytes.ts";

/**
 * @param read throws any error where the bytes are no such message.
 * @throws {SetlistError} PAYLOAD_TOO_LARGE, or INVALID_ARGUMENT: whatever is wrong with a message is its sender's fault.
 */
export function readMessage<Message>(
  bytes: Buffer,
  read: (reader: MessageReader) => Message,
  bytesMax: number,
): Message {
  if (bytes.length > bytesMax) {
    throw new SetlistError("PAYLOAD_TOO_LARGE", `body: expected at most ${bytesMax} bytes`);
  }
  try {
    return read(new MessageReader(bytes));
  } catch (error) {
    if (error instanceof SetlistError) throw error;
    throw invalidArgument(`body: malformed protobuf: ${(error as Error).message}`);
  }
}

/**
 * Reads protobuf straight into our own objects, strictly: bytes that end early, a known field of another wire type
 * and text that is no UTF-8 are faults. protobufjs, under proto-loader, reads a truncated string as a shorter one, and
 * its objects take two to three times as long to make (200 ids: 23 us against 42 to 70; Node 24, same run).
 * Fields that the contract does not know are skipped, as protobuf promises to newer clients.
 *
 *     for (let field = reader.next(end); field !== 0; field = reader.next(end)) switch (field) …
 */
export class MessageReader {
  readonly #bytes: Buffer;
  readonly #reader: BinaryReader;
  #field = 0;
  #wireType: WireType = WireType.Varint;
  /** The whole message, each byte a character; made for its first short text. */
  #characters: string | undefined;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
    this.#reader = new BinaryReader(bytes);
  }

  /** Where the outermost message ends. */
  get end(): number {
    return this.#reader.len;
  }

  /** The number of the next field before `end`, 0 where there is none. */
  next(end: number): number {
    const reader = this.#reader;
    if (reader.pos === end) return 0;
    if (reader.pos > end) throw new RangeError("a field reaches past the end of its message");
    [this.#field, this.#wireType] = reader.tag();
    return this.#field;
  }

  /** The message's bytes, for another reader, once each of its own fields is seen to end within it. */
  whole(): Buffer {
    while (this.next(this.end) !== 0) this.skip();
    return this.#bytes;
  }

  /** Steps into the message that the field holds and answers with its end. */
  enter(): number {
    this.#expect(WireType.LengthDelimited);
    const length = this.#reader.uint32();
    const end = this.#reader.pos + length;
    if (end > this.#reader.len) throw new RangeError("a message reaches past the end of the bytes");
    return end;
  }

  skip(): void {
    this.#reader.skip(this.#wireType, this.#field);
  }

  /**
   * ASCII of less than 128 bytes, as nearly all ids are, is cut out of one string of the whole message. With 200 ids of
   * 5 characters a request takes 4.4 us instead of 7.0, with ids of 36 characters 14.7 instead of 17.8 (Node 24, same run).
   */
  text(): string {
    this.#expect(WireType.LengthDelimited);
    const bytes = this.#bytes;
    const start = this.#reader.pos + 1;
    const length = bytes[start - 1] ?? 128;
    const end = start + length;
    if (length > 127 || end > bytes.length || !isAscii(bytes, start, end)) return this.#reader.string(true);
    this.#reader.pos = end;
    if (length >= sharedFrom) return bytes.toString("latin1", start, end);
    this.#characters ??= bytes.toString("latin1");
    return this.#characters.substring(start, end);
  }

  /** Adds the field's text to `ids` as it stands in the message. @throws {TypeError} where it is no UTF-8. */
  addTo(ids: IdBytes): void {
    const end = this.enter();
    const start = this.#reader.pos;
    if (!isAscii(this.#bytes, start, end) && !isUtf8(this.#bytes.subarray(start, end))) {
      throw new TypeError(`field ${this.#field} holds text that is no UTF-8`);
    }
    this.#reader.pos = end;
    ids.add(start, end);
  }

  /** Empty, for texts of this message. */
  ids(): IdBytes {
    return new IdBytes(this.#bytes);
  }

  bytes(): Uint8Array {
    this.#expect(WireType.LengthDelimited);
    return this.#reader.bytes();
  }

  float64(): number {
    this.#expect(WireType.Bit64);
    return this.#reader.double();
  }

  int32(): number {
    this.#expect(WireType.Varint);
    return this.#reader.int32();
  }

  flag(): boolean {
    this.#expect(WireType.Varint);
    return this.#reader.bool();
  }

  /** Appends the field's float32 values, packed or one by one: a writer may choose. */
  float32s(values: number[]): void {
    if (this.#wireType === WireType.Bit32) {
      values.push(this.#reader.float());
      return;
    }
    const end = this.enter();
    while (this.#reader.pos < end) values.push(this.#reader.float());
  }

  #expect(wireType: WireType): void {
    if (this.#wireType === wireType) return;
    throw new TypeError(
      `field ${this.#field} has wire type ${this.#wireType}, but the contract says ${wireType}`,
    );
  }
}

/** From this length on a substring shares its memory: an id kept in a cache would keep the message's whole text. */
const sharedFrom = 13;

function isAscii(bytes: Buffer, start: number, end: number): boolean {
  for (let i = start; i < end; i++) if ((bytes[i] as number) > 0x7f) return false;
  return true;
}

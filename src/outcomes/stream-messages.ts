/**
 * Messages between a process that answers and the one that writes the log, over a stream of bytes.
 *
 * | bytes | holds |
 * |---|---|
 * | 0..4 | bytes of the body |
 * | 4..8 | the sender's number for an order; an answer repeats it |
 * | 8 | the kind |
 * | 9.. | the body |
 */
const headerBytes = 9;

/** Orders: frames to be appended, one behind the other. */
export const impressionFrames = 1;
export const outcomeFrames = 2;
export const shadowFrames = 3;
/** Answers: done, with three counts where outcomes were appended; or refused, with an error as JSON. */
export const done = 4;
export const refused = 5;

export interface Message {
  readonly number: number;
  readonly kind: number;
  /** Valid until the next chunk is taken. */
  readonly body: Buffer;
}

export function streamMessage(number: number, kind: number, body: Uint8Array): Buffer {
  const message = Buffer.allocUnsafe(headerBytes + body.length);
  message.writeUInt32LE(body.length, 0);
  message.writeUInt32LE(number, 4);
  message.writeUInt8(kind, 8);
  message.set(body, headerBytes);
  return message;
}

/** Puts chunks together to messages; what the other side's death cut short never becomes one. */
export class MessageReader {
  #chunks: Buffer[] = [];
  #bytes = 0;
  /** Of the message that is not whole yet. */
  #needed = headerBytes;

  *take(chunk: Buffer): Generator<Message> {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    // Joined only once the message is whole: a long one that came in many pieces is copied once.
    if (this.#bytes < this.#needed) return;
    const joined = this.#chunks.length === 1 ? chunk : Buffer.concat(this.#chunks);
    let at = 0;
    for (;;) {
      const left = joined.length - at;
      this.#needed = left < headerBytes ? headerBytes : headerBytes + joined.readUInt32LE(at);
      if (left < this.#needed) break;
      const end = at + this.#needed;
      const body = joined.subarray(at + headerBytes, end);
      yield { number: joined.readUInt32LE(at + 4), kind: joined.readUInt8(at + 8), body };
      at = end;
    }
    this.#chunks = at === joined.length ? [] : [joined.subarray(at)];
    this.#bytes = joined.length - at;
  }
}

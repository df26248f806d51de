/** Strings from here on are decoded on their own: a slice of the payload's text would keep all of it in memory. */
const slicedFrom = 13;

/**
 * Reads one payload, the mirror of `RecordWriter`. Reading past the end throws a RangeError: the frame's checksum
 * was right, so whoever wrote it was wrong.
 */
export class RecordReader {
  #buffer: Buffer = Buffer.alloc(0);
  #view: DataView = new DataView(new ArrayBuffer(0));
  #start = 0;
  #end = 0;
  #at = 0;
  #text = "";

  /** Points at the payload in `buffer[start, end)`. */
  open(buffer: Buffer, start: number, end: number): void {
    if (buffer !== this.#buffer) {
      this.#buffer = buffer;
      this.#view = new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength);
    }
    this.#start = start;
    this.#at = start;
    this.#end = end;
    // One call for the whole payload; short ASCII strings are then cut out of it, at a tenth of a call each.
    this.#text = buffer.toString("latin1", start, end);
  }

  get bytesLeft(): number {
    return this.#end - this.#at;
  }

  /** @throws {RangeError} where bytes are left over. */
  finish(): void {
    this.#text = "";
    if (this.#at !== this.#end) throw new RangeError(`${this.#end - this.#at} bytes left over`);
  }

  uint8(): number {
    return this.#view.getUint8(this.#take(1));
  }

  uint32(): number {
    return this.#view.getUint32(this.#take(4), true);
  }

  float32(): number {
    return this.#view.getFloat32(this.#take(4), true);
  }

  float64(): number {
    return this.#view.getFloat64(this.#take(8), true);
  }

  varint(): number {
    let value = this.uint8();
    if (value < 0x80) return value;
    value &= 0x7f;
    for (let scale = 0x80; ; scale *= 0x80) {
      const byte = this.uint8();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
      if (scale > 2 ** 49) throw new RangeError("a number of more than 53 bits");
    }
  }

  string(): string {
    const prefix = this.varint();
    const bytes = Math.floor(prefix / 2);
    const from = this.#take(bytes);
    if (prefix % 2 === 1) return this.#buffer.toString("utf8", from, from + bytes);
    if (bytes < slicedFrom) return this.#text.substring(from - this.#start, from - this.#start + bytes);
    return this.#buffer.toString("latin1", from, from + bytes);
  }

  #take(bytes: number): number {
    const from = this.#at;
    if (bytes > this.#end - from) throw new RangeError("the payload ends too early");
    this.#at = from + bytes;
    return from;
  }
}

/**
 * Fields of a protobuf message without decoding the rest: only tags and lengths of the outermost message are read
 * (Protocol Buffers encoding guide, "Message structure").
 */

/** The first length-delimited value (message, string, bytes) of a field; undefined where the field is absent. */
export function protobufField(message: Uint8Array, field: number): Uint8Array | undefined {
  const found = firstOf(message, field);
  return typeof found === "number" ? undefined : found;
}

/** The first whole number of a field, 0 where it is absent, as proto3 has it. */
export function protobufNumber(message: Uint8Array, field: number): number {
  const found = firstOf(message, field);
  return typeof found === "number" ? found : 0;
}

function firstOf(message: Uint8Array, field: number): Uint8Array | number | undefined {
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = message[at++] ?? 0;
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
  };
  while (at < message.length) {
    const tag = varint();
    const wanted = Math.floor(tag / 8) === field;
    const wireType = tag % 8;
    if (wireType === 0) {
      const value = varint();
      if (wanted) return value;
    } else if (wireType === 1) at += 8;
    else if (wireType === 2) {
      const length = varint();
      if (wanted) return message.subarray(at, at + length);
      at += length;
    } else if (wireType === 5) at += 4;
    else throw new Error(`expected a protobuf message, found wire type ${wireType} at byte ${at}`);
  }
  return undefined;
}

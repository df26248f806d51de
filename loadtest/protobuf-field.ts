/**
 * The first length-delimited value (message, string, bytes) of a field in a protobuf message, without decoding the
 * rest: only tags and lengths of the outermost message are read (Protocol Buffers encoding guide, "Message
 * structure"). Undefined where the field is absent.
 */
export function protobufField(message: Uint8Array, field: number): Uint8Array | undefined {
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
    const wireType = tag % 8;
    if (wireType === 0) varint();
    else if (wireType === 1) at += 8;
    else if (wireType === 2) {
      const length = varint();
      if (Math.floor(tag / 8) === field) return message.subarray(at, at + length);
      at += length;
    } else if (wireType === 5) at += 4;
    else throw new Error(`expected a protobuf message, found wire type ${wireType} at byte ${at}`);
  }
  return undefined;
}

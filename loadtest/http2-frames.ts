/** What a gRPC client needs of HTTP/2's frames (RFC 9113) and header blocks (HPACK, RFC 7541). */
export const frameTypes = {
  data: 0,
  headers: 1,
  reset: 3,
  settings: 4,
  ping: 6,
  goAway: 7,
  windowUpdate: 8,
} as const;
export const endStream = 0x1;
export const ack = 0x1;
export const endHeaders = 0x4;
export const frameHeadBytes = 9;
/** Of frames and of windows, as both sides have them until they say otherwise (RFC 9113, section 6.5.2). */
export const frameBytesMax = 16_384;
export const windowBytesAtFirst = 65_535;
export const settingIds = { headerTableSize: 1, initialWindowSize: 4 } as const;
/** `grpc-status` as HPACK writes a name (RFC 7541: Huffman code, 8 bytes); its value follows, as it stands. */
const statusName = Buffer.from("889acac8b21234da8f", "hex");

/** Undefined where the block has no `grpc-status`. */
export function statusOf(headerBlock: Buffer): string | undefined {
  const at = headerBlock.indexOf(statusName);
  if (at < 0) return undefined;
  const value = at + statusName.length;
  return headerBlock.toString("latin1", value + 1, value + 1 + (headerBlock[value] as number));
}

/** HPACK without tables or Huffman code: the same bytes for every call. */
export function requestHeaders(authority: string, path: string): Buffer {
  const text = (value: string) => Buffer.concat([Buffer.from([value.length]), Buffer.from(value)]);
  return Buffer.concat([
    Buffer.from([0x83, 0x86]), // :method POST, :scheme http
    Buffer.from([0x04]), // :path
    text(path),
    Buffer.from([0x01]), // :authority
    text(authority),
    Buffer.from([0x0f, 0x10]), // content-type
    text("application/grpc"),
    Buffer.from([0x00]),
    text("te"),
    text("trailers"),
  ]);
}

export function frameHead(length: number, type: number, flags: number, streamId: number): Buffer {
  const head = Buffer.allocUnsafe(frameHeadBytes);
  head.writeUIntBE(length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(streamId, 5);
  return head;
}

export function settingsFrame(settings: readonly (readonly [id: number, value: number])[]): Buffer {
  const payload = Buffer.alloc(6 * settings.length);
  for (const [place, [id, value]] of settings.entries()) {
    payload.writeUInt16BE(id, 6 * place);
    payload.writeUInt32BE(value, 6 * place + 2);
  }
  return Buffer.concat([frameHead(payload.length, frameTypes.settings, 0, 0), payload]);
}

export function windowUpdateFrame(bytes: number): Buffer {
  const payload = Buffer.alloc(4);
  payload.writeUInt32BE(bytes);
  return Buffer.concat([frameHead(4, frameTypes.windowUpdate, 0, 0), payload]);
}

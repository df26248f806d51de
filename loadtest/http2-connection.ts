import { connect, type Socket } from "node:net";
import {
  ack,
  endHeaders,
  endStream,
  frameBytesMax,
  frameHead,
  frameHeadBytes,
  frameTypes,
  requestHeaders,
  settingIds,
  settingsFrame,
  statusOf,
  windowBytesAtFirst,
  windowUpdateFrame,
} from "./http2-frames.ts";

/** How a call ended. `message` is the answer with gRPC's frame around it; empty where none came. */
export interface CallEnd {
  /** The number of `grpc-status`. */
  readonly status: string;
  readonly message: Buffer;
}

/**
 * One HTTP/2 connection for gRPC unary calls, many at a time, over a bare socket: node:http2's client takes 62 us of
 * CPU a call and this 25 (Node 24, same run), which on a small machine are taken from the server under test. It reads
 * what our servers write: frames of RFC 9113 without padding, header blocks in one frame, of which only `grpc-status`
 * matters.
 */
export interface Http2Connection {
  readonly isOpen: boolean;
  /** @param message with gRPC's frame. Rejects where no status came. */
  call(message: Buffer): Promise<CallEnd>;
  close(): void;
}

/** What we let the server send before we say more: it never waits for us. */
const ownWindowBytes = 2 ** 30;

const preface = Buffer.concat([
  Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
  // Without a table of its own the server writes each header out, so that a status can be found in the bytes.
  settingsFrame([
    [settingIds.headerTableSize, 0],
    [settingIds.initialWindowSize, ownWindowBytes],
  ]),
  windowUpdateFrame(ownWindowBytes),
]);

export function openHttp2Connection(host: string, port: number, path: string): Http2Connection {
  return new Connection(connect({ host, port, noDelay: true }), requestHeaders(`${host}:${port}`, path));
}

interface Waiting {
  readonly resolve: (end: CallEnd) => void;
  readonly reject: (error: Error) => void;
  readonly chunks: Buffer[];
}

class Connection implements Http2Connection {
  readonly #socket: Socket;
  readonly #headers: Buffer;
  readonly #calls = new Map<number, Waiting>();
  /** Calls that wait for the server's window. */
  readonly #unsent: { readonly streamId: number; readonly message: Buffer }[] = [];
  #nextStreamId = 1;
  #sendWindow = windowBytesAtFirst;
  #receivedBytes = 0;
  #received: Buffer = Buffer.alloc(0);
  isOpen = true;

  constructor(socket: Socket, headers: Buffer) {
    this.#socket = socket;
    this.#headers = headers;
    socket.on("data", (chunk) => this.#read(chunk));
    socket.on("error", (error) => this.#fail(error));
    socket.on("close", () => this.#fail(new Error("connection closed")));
    socket.write(preface);
  }

  call(message: Buffer): Promise<CallEnd> {
    return new Promise((resolve, reject) => {
      if (message.length > windowBytesAtFirst)
        throw new Error(`expected at most ${windowBytesAtFirst} bytes`);
      const streamId = this.#nextStreamId;
      this.#nextStreamId += 2;
      this.#calls.set(streamId, { resolve, reject, chunks: [] });
      if (message.length <= this.#sendWindow) this.#send(streamId, message);
      else this.#unsent.push({ streamId, message });
    });
  }

  close(): void {
    this.isOpen = false;
    this.#socket.destroy();
  }

  #send(streamId: number, message: Buffer): void {
    this.#sendWindow -= message.length;
    const frames = [frameHead(this.#headers.length, frameTypes.headers, endHeaders, streamId), this.#headers];
    for (let at = 0; at < message.length; at += frameBytesMax) {
      const part = message.subarray(at, at + frameBytesMax);
      const isLast = at + frameBytesMax >= message.length;
      frames.push(frameHead(part.length, frameTypes.data, isLast ? endStream : 0, streamId), part);
    }
    this.#socket.write(Buffer.concat(frames));
  }

  #read(chunk: Buffer): void {
    let bytes = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
    while (bytes.length >= frameHeadBytes) {
      const end = frameHeadBytes + bytes.readUIntBE(0, 3);
      if (bytes.length < end) break;
      const streamId = bytes.readUInt32BE(5) & 0x7f_ff_ff_ff;
      this.#take(bytes[3] as number, bytes[4] as number, streamId, bytes.subarray(frameHeadBytes, end));
      bytes = bytes.subarray(end);
    }
    this.#received = bytes;
  }

  #take(type: number, flags: number, streamId: number, payload: Buffer): void {
    switch (type) {
      case frameTypes.data:
        this.#calls.get(streamId)?.chunks.push(payload);
        this.#opened(payload.length);
        break;
      case frameTypes.headers:
        if ((flags & endStream) !== 0) this.#end(streamId, statusOf(payload));
        break;
      case frameTypes.reset:
        this.#end(streamId, undefined);
        break;
      case frameTypes.settings:
        if ((flags & ack) === 0) this.#socket.write(frameHead(0, frameTypes.settings, ack, 0));
        break;
      case frameTypes.ping:
        if ((flags & ack) === 0)
          this.#socket.write(Buffer.concat([frameHead(8, frameTypes.ping, ack, 0), payload]));
        break;
      case frameTypes.goAway:
        this.isOpen = false;
        break;
      case frameTypes.windowUpdate:
        if (streamId === 0) this.#sendMore(payload.readUInt32BE(0));
        break;
      default:
    }
  }

  #sendMore(bytes: number): void {
    this.#sendWindow += bytes;
    for (let next = this.#unsent[0]; next !== undefined; next = this.#unsent[0]) {
      if (next.message.length > this.#sendWindow) return;
      this.#unsent.shift();
      this.#send(next.streamId, next.message);
    }
  }

  /** Lets the server send as much again, long before it would wait. */
  #opened(bytes: number): void {
    this.#receivedBytes += bytes;
    if (this.#receivedBytes < ownWindowBytes / 2) return;
    this.#socket.write(windowUpdateFrame(this.#receivedBytes));
    this.#receivedBytes = 0;
  }

  #end(streamId: number, status: string | undefined): void {
    const call = this.#calls.get(streamId);
    this.#calls.delete(streamId);
    if (status === undefined) call?.reject(new Error("stream closed"));
    else
      call?.resolve({
        status,
        message: call.chunks.length === 1 ? (call.chunks[0] as Buffer) : Buffer.concat(call.chunks),
      });
  }

  #fail(error: Error): void {
    this.isOpen = false;
    for (const { reject } of this.#calls.values()) reject(error);
    this.#calls.clear();
  }
}

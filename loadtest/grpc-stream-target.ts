import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants } from "node:http2";
import { protobufField, protobufNumber } from "./protobuf-field.ts";
import { type Answer, noAnswer, type Target } from "./target.ts";

/** Fields of `RankStreamResponse`, `RankError` and `RankResponse` in ranking.proto. */
const sequenceField = 1;
const answerField = 3;
const errorField = 4;
const errorCodeField = 1;
const degradedField = 6;

/**
 * Rank requests over `RankStream`, which take turns on the calls, many in flight on each; each call has a connection
 * of its own. Over bare HTTP/2, as in grpc-target.ts and for its reason.
 */
export function grpcStreamTarget(
  address: string,
  calls: number,
  path = "/setlist.v1.RankingService/RankStream",
): Target {
  const open: (RankCall | undefined)[] = Array.from({ length: calls }, () => undefined);
  let next = 0;

  function call(): RankCall {
    const place = next++ % calls;
    const old = open[place];
    if (old?.isOpen === true) return old;
    const opened = new RankCall(address, path);
    open[place] = opened;
    return opened;
  }

  return {
    name: `gRPC stream ${address}`,
    send: (request) => call().send(request),
    close() {
      for (const one of open) one?.close();
    },
  };
}

class RankCall {
  readonly #session: ClientHttp2Session;
  readonly #stream: ClientHttp2Stream;
  /** By the request's place on the call. */
  readonly #waiting = new Map<number, (answer: Answer) => void>();
  #sent = 0;
  #corked = false;
  #received: Buffer = Buffer.alloc(0);
  isOpen = true;

  constructor(address: string, path: string) {
    this.#session = connect(`http://${address}`);
    // The stream learns of it itself; without a listener the process would end.
    this.#session.on("error", () => {});
    this.#stream = this.#session.request(
      { ":method": "POST", ":path": path, "content-type": "application/grpc", te: "trailers" },
      { endStream: false },
    );
    let why = "stream closed";
    const readStatus = (from: Record<string, unknown>): void => {
      if (from["grpc-status"] !== undefined) why = `gRPC ${String(from["grpc-status"])}`;
    };
    this.#stream.on("response", readStatus);
    this.#stream.on("trailers", readStatus);
    this.#stream.on("data", (chunk: Buffer) => this.#read(chunk));
    this.#stream.on("end", () => this.#fail(why));
    this.#stream.on("error", (error) => this.#fail((error as { code?: string }).code ?? error.message));
    this.#stream.on("close", () => this.#fail(why));
  }

  send(request: Buffer): Promise<Answer> {
    return new Promise((resolve) => {
      this.#waiting.set(this.#sent++, resolve);
      // What is sent in one turn goes out in one piece.
      if (!this.#corked) {
        this.#corked = true;
        this.#stream.cork();
        process.nextTick(() => {
          this.#corked = false;
          this.#stream.uncork();
        });
      }
      this.#stream.write(request);
    });
  }

  close(): void {
    this.isOpen = false;
    this.#session.destroy(undefined, constants.NGHTTP2_NO_ERROR);
  }

  #read(chunk: Buffer): void {
    let bytes = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
    while (bytes.length >= 5) {
      const end = 5 + bytes.readUInt32BE(1);
      if (bytes.length < end) break;
      this.#answer(bytes.subarray(5, end));
      bytes = bytes.subarray(end);
    }
    this.#received = bytes;
  }

  #answer(message: Buffer): void {
    const sequence = protobufNumber(message, sequenceField);
    const resolve = this.#waiting.get(sequence);
    if (resolve === undefined)
      throw new Error(`the server answered request ${sequence}, which does not wait`);
    this.#waiting.delete(sequence);
    resolve(answerOf(message));
  }

  #fail(why: string): void {
    this.isOpen = false;
    for (const resolve of this.#waiting.values()) resolve(noAnswer(why));
    this.#waiting.clear();
    this.#session.close();
  }
}

function answerOf(message: Buffer): Answer {
  const answer = protobufField(message, answerField);
  if (answer === undefined) {
    const code = protobufField(protobufField(message, errorField) ?? message.subarray(0, 0), errorCodeField);
    return { ok: false, code: Buffer.from(code ?? []).toString(), degraded: false, body: message };
  }
  return {
    ok: true,
    code: "gRPC 0",
    degraded: protobufField(answer, degradedField) !== undefined,
    body: Buffer.from(answer.buffer, answer.byteOffset, answer.byteLength),
  };
}

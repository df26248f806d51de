import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { constants, type ServerHttp2Stream } from "node:http2";
import type { ConnectionRules } from "./connection-rules.ts";

/** Between two looks at the open calls; one is given up this much late at most. */
const lookMs = 1_000;

/** Node's own word of every call that begins: grpc-js shows a call only once its message is whole. */
const begins = "http2.server.stream.start";

interface OpenCall {
  readonly stream: ServerHttp2Stream;
  /** Monotonic ms. */
  readonly begun: number;
  readonly isUnary: boolean;
  /** Bytes of answers, of calls that have many: what waits may be as much at every look, although all of it is read. */
  written: number;
  /** Less those that wait for the client, at the last look that found another number, and when that was, ms. */
  taken: number;
  takenAt: number;
}

/**
 * Ends calls of a port whose client keeps them waiting: a unary one whose message does not come, any whose answer is
 * not read. Without a deadline, HTTP/2 lets both be held for ever, each with what has come or is to go.
 * @returns what ends the looking.
 */
export function watchCalls(
  port: number,
  streaming: ReadonlySet<string>,
  { requestTimeoutMs, unreadMsMax }: Pick<ConnectionRules, "requestTimeoutMs" | "unreadMsMax">,
): () => void {
  const open = new Set<OpenCall>();

  function onBegin(message: unknown): void {
    const { stream, headers } = message as {
      stream: ServerHttp2Stream;
      headers: Readonly<Record<string, string>>;
    };
    if (stream.session?.socket.localPort !== port) return;
    const begun = performance.now();
    const isUnary = !streaming.has(headers[":path"] ?? "");
    const call = { stream, begun, isUnary, written: 0, taken: 0, takenAt: begun };
    open.add(call);
    if (!isUnary) countWritten(call);
    stream.once("close", () => open.delete(call));
  }

  function look(): void {
    const now = performance.now();
    for (const call of open) {
      const { stream, begun, isUnary } = call;
      const late = isUnary && now - begun >= requestTimeoutMs && stream.state.remoteClose !== 1;
      if (late || isUnread(call, now)) stream.close(constants.NGHTTP2_CANCEL);
    }
  }

  function isUnread(call: OpenCall, now: number): boolean {
    const { writableLength, writableEnded } = call.stream;
    const taken = call.written - writableLength;
    if (taken !== call.taken || (writableLength === 0 && !writableEnded)) {
      call.taken = taken;
      call.takenAt = now;
    }
    return now - call.takenAt >= unreadMsMax;
  }

  subscribe(begins, onBegin);
  const timer = setInterval(look, lookMs).unref();
  return () => {
    unsubscribe(begins, onBegin);
    clearInterval(timer);
  };
}

/** grpc-js writes whole messages, each a buffer of its own. */
function countWritten(call: OpenCall): void {
  const { stream } = call;
  const write = stream.write.bind(stream) as (
    bytes: Buffer,
    done?: (error?: Error | null) => void,
  ) => boolean;
  stream.write = ((bytes, done) => {
    call.written += bytes.length;
    return write(bytes, done);
  }) as typeof write as typeof stream.write;
}

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
  /** Bytes that waited for the client at the last look that found another number of them, and when that was, ms. */
  unread: number;
  unreadSince: number;
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
    const call = { stream, begun, isUnary, unread: 0, unreadSince: begun };
    open.add(call);
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
    if (call.unread !== writableLength || (writableLength === 0 && !writableEnded)) {
      call.unread = writableLength;
      call.unreadSince = now;
    }
    return now - call.unreadSince >= unreadMsMax;
  }

  subscribe(begins, onBegin);
  const timer = setInterval(look, lookMs).unref();
  return () => {
    unsubscribe(begins, onBegin);
    clearInterval(timer);
  };
}

import { type handleUnaryCall, Metadata } from "@grpc/grpc-js";
import { headerText } from "../domain/header-text.ts";
import { isId } from "../serving/id.ts";
import { newRequestId } from "../serving/request-id.ts";
import { endedEarly, signalOf, timeLeft } from "./call-end.ts";
import type { GrpcContext } from "./context.ts";
import { type MessageReader, readMessage } from "./message-reader.ts";
import { refusalOf } from "./refusal.ts";
import { statusOf } from "./status.ts";

/** What a handler knows of its call. */
export interface Call {
  /** The request's own, where it has one that is usable; else made for this call. */
  readonly requestId: string;
  /** Monotonic ms. */
  readonly receivedAt: number;
  /** What is left of `grpc-timeout`, in ms; undefined where the caller set none. */
  readonly timeoutMs: number | undefined;
  /** Of the metadata that came with it, the first value of a name; undefined where there is none. */
  header(name: string): string | undefined;
  /** Goes out as trailing metadata. */
  readonly trailer: Metadata;
  /** Aborted where the call ends before its answer. Made when asked for: most methods have no use for one. */
  signal(): AbortSignal;
}

/** One method of a service. */
export interface Method<Request, Answer> {
  /** Its place in the contract: the metrics' label. */
  readonly route: string;
  /** @throws {Error} where the bytes are no such message. */
  read(reader: MessageReader): Request;
  /** The client's own id for this request, for its answer, its errors and the log. */
  idOf?(request: Request): string | undefined;
  handle(request: Request, call: Call): Promise<Answer> | Answer;
  write(answer: Answer): Buffer;
}

/**
 * Decodes, handles, encodes, counts. Errors leave with the same code and detail as over HTTP, and what is ours is
 * logged under the id that the caller gets.
 */
export function unary<Request, Answer>(
  context: GrpcContext,
  { route, read, idOf, handle, write }: Method<Request, Answer>,
): handleUnaryCall<Buffer, Buffer> {
  const { clock, limits, requests } = context;
  const count = (code: string, receivedAt: number): void =>
    requests.answered("grpc", route, code, clock.monotonic() - receivedAt);
  return async (grpcCall, callback) => {
    const receivedAt = clock.monotonic();
    let requestId: string | undefined;
    let answered = false;
    try {
      const request = readMessage(grpcCall.request, read, limits.bodyBytesMax);
      const own = idOf?.(request);
      requestId = isId(own, limits) ? own : newRequestId();
      const trailer = new Metadata();
      const timeoutMs = timeLeft(grpcCall);
      const signal = (): AbortSignal => signalOf(grpcCall, () => answered);
      const header = (name: string): string | undefined => grpcCall.metadata.get(name)[0]?.toString();
      const answer = await handle(request, { requestId, receivedAt, timeoutMs, header, trailer, signal });
      if (grpcCall.cancelled) return count(endedEarly, receivedAt);
      const message = write(answer);
      trailer.set("request-id", headerText(requestId));
      count("OK", receivedAt);
      answered = true;
      callback(null, message, trailer);
    } catch (error) {
      if (grpcCall.cancelled) return count(endedEarly, receivedAt);
      answered = true;
      requestId ??= newRequestId();
      callback(statusOf(refusalOf(error, { route, requestId, receivedAt }, context), requestId));
    }
  };
}

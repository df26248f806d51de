import { type handleUnaryCall, Metadata, type ServerUnaryCall, status } from "@grpc/grpc-js";
import { v7 as uuidv7 } from "uuid";
import { invalidArgument, SetlistError } from "../domain/error.ts";
import { headerText } from "../serving/answer-headers.ts";
import { isId } from "../serving/id.ts";
import type { GrpcContext } from "./context.ts";
import { MessageReader } from "./message-reader.ts";
import { statusOf } from "./status.ts";

/** What a handler knows of its call. */
interface Call {
  /** Made for this call; see `named`. */
  readonly requestId: string;
  /** Monotonic ms. */
  readonly receivedAt: number;
  /** What is left of `grpc-timeout`, in ms; undefined where the caller set none. */
  readonly timeoutMs: number | undefined;
  /** Goes out as trailing metadata. */
  readonly trailer: Metadata;
  /** Names the call by the client's own id, where it is usable, for its answer, its errors and the log. */
  named(requestId: string): void;
}

/** One method of a service. */
export interface Method<Request, Answer> {
  /** Its place in the contract: the metrics' label. */
  readonly route: string;
  /** @throws {Error} where the bytes are no such message. */
  read(reader: MessageReader): Request;
  handle(request: Request, call: Call): Promise<Answer> | Answer;
  write(answer: Answer): Buffer;
}

/**
 * Decodes, handles, encodes, counts. Errors leave with the same code and detail as over HTTP, and what is ours is
 * logged under the id that the caller gets.
 */
export function unary<Request, Answer>(
  { clock, limits, logger, requests }: GrpcContext,
  { route, read, handle, write }: Method<Request, Answer>,
): handleUnaryCall<Buffer, Buffer> {
  return async (grpcCall, callback) => {
    const receivedAt = clock.monotonic();
    const trailer = new Metadata();
    const made = uuidv7();
    let requestId = made;
    const call: Call = {
      requestId: made,
      receivedAt,
      timeoutMs: timeoutOf(grpcCall),
      trailer,
      named: (own) => {
        if (isId(own, limits)) requestId = own;
      },
    };
    try {
      const request = decode(grpcCall.request, read, limits.bodyBytesMax);
      const answer = write(await handle(request, call));
      trailer.set("request-id", headerText(requestId));
      requests.answered("grpc", route, "OK", clock.monotonic() - receivedAt);
      callback(null, answer, trailer);
    } catch (error) {
      const refusal = statusOf(error, requestId);
      if (refusal.code === status.INTERNAL) {
        logger.error({ requestId, transport: "grpc", route, err: error }, "request failed");
      }
      requests.answered("grpc", route, status[refusal.code], clock.monotonic() - receivedAt);
      callback(refusal);
    }
  };
}

function decode<Request>(bytes: Buffer, read: (reader: MessageReader) => Request, bytesMax: number): Request {
  if (bytes.length > bytesMax) {
    throw new SetlistError("PAYLOAD_TOO_LARGE", `body: expected at most ${bytesMax} bytes`);
  }
  try {
    return read(new MessageReader(bytes));
  } catch (error) {
    if (error instanceof SetlistError) throw error;
    throw invalidArgument(`body: malformed protobuf: ${(error as Error).message}`);
  }
}

/** grpc-js counts a call's deadline on the wall clock, so that only that clock can say what is left of it. */
function timeoutOf(call: ServerUnaryCall<Buffer, Buffer>): number | undefined {
  const deadline = Number(call.getDeadline());
  return Number.isFinite(deadline) ? Math.max(0, deadline - Date.now()) : undefined;
}

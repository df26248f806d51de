import { type handleUnaryCall, Metadata, type ServerUnaryCall, status } from "@grpc/grpc-js";
import { v7 as uuidv7 } from "uuid";
import { invalidArgument, SetlistError } from "../domain/error.ts";
import { headerText } from "../serving/answer-headers.ts";
import type { GrpcContext } from "./context.ts";
import type { MessageCodec } from "./contract.ts";
import { statusOf } from "./status.ts";

/** What a handler knows of its call. */
export interface Call {
  /** Made for this call; a rank request may bring its own, and then says so by `named`. */
  readonly requestId: string;
  /** Monotonic ms. */
  readonly receivedAt: number;
  /** What is left of `grpc-timeout`, in ms; undefined where the caller set none. */
  readonly timeoutMs: number | undefined;
  /** Goes out as trailing metadata. */
  readonly trailer: Metadata;
  /** Names the call by the client's own id, for its answer, its errors and the log. */
  named(requestId: string): void;
}

/**
 * A unary method: decodes, handles, encodes, counts. Errors leave with the same code and detail as over HTTP, and
 * what is ours is logged under the id that the caller gets.
 */
export function unary(
  context: GrpcContext,
  route: string,
  codec: MessageCodec,
  handle: (message: unknown, call: Call) => Promise<object> | object,
): handleUnaryCall<Buffer, Buffer> {
  const { clock, limits, logger, requests } = context;
  return async (grpcCall, callback) => {
    const receivedAt = clock.monotonic();
    const trailer = new Metadata();
    let requestId = uuidv7();
    const call: Call = {
      requestId,
      receivedAt,
      timeoutMs: timeoutOf(grpcCall),
      trailer,
      named: (own) => {
        requestId = own;
      },
    };
    try {
      const message = decode(codec, grpcCall.request, limits.bodyBytesMax);
      const answer = codec.encode(await handle(message, call));
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

function decode(codec: MessageCodec, bytes: Buffer, bytesMax: number): unknown {
  if (bytes.length > bytesMax) {
    throw new SetlistError(
      "PAYLOAD_TOO_LARGE",
      `body: expected at most ${bytesMax} bytes, got ${bytes.length}`,
    );
  }
  try {
    return codec.decode(bytes);
  } catch (error) {
    throw invalidArgument(`body: malformed protobuf: ${(error as Error).message}`);
  }
}

/** grpc-js counts a call's deadline on the wall clock, so that only that clock can say what is left of it. */
function timeoutOf(call: ServerUnaryCall<Buffer, Buffer>): number | undefined {
  const deadline = Number(call.getDeadline());
  return Number.isFinite(deadline) ? Math.max(0, deadline - Date.now()) : undefined;
}

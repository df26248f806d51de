import { type PublicError, publicError } from "../serving/public-error.ts";
import type { GrpcContext } from "./context.ts";
import { statusName } from "./status.ts";

/** Whose refusal it is. */
export interface Refused {
  readonly route: string;
  readonly requestId: string;
  /** Monotonic ms. */
  readonly receivedAt: number;
}

/** What the caller may know of whatever was thrown; counted, and logged under the caller's id where it is our defect. */
export function refusalOf(thrown: unknown, refused: Refused, context: GrpcContext): PublicError {
  const { route, requestId, receivedAt } = refused;
  const refusal = publicError(thrown);
  if (refusal.code === "INTERNAL") {
    context.logger.error({ requestId, transport: "grpc", route, err: thrown }, "request failed");
  }
  const durationMs = context.clock.monotonic() - receivedAt;
  context.requests.answered("grpc", route, statusName(refusal.code), durationMs);
  return refusal;
}

import { Metadata, type ServiceError, status } from "@grpc/grpc-js";
import type { ErrorCode } from "../domain/error.ts";
import { headerText } from "../domain/header-text.ts";
import type { PublicError } from "../serving/public-error.ts";

/** The one mapping of error codes to gRPC. */
const statuses: Readonly<Record<ErrorCode, status>> = {
  INVALID_ARGUMENT: status.INVALID_ARGUMENT,
  UNAUTHENTICATED: status.UNAUTHENTICATED,
  PERMISSION_DENIED: status.PERMISSION_DENIED,
  NOT_FOUND: status.NOT_FOUND,
  ABORTED: status.ABORTED,
  PAYLOAD_TOO_LARGE: status.RESOURCE_EXHAUSTED,
  RESOURCE_EXHAUSTED: status.RESOURCE_EXHAUSTED,
  UNAVAILABLE: status.UNAVAILABLE,
  DEADLINE_EXCEEDED: status.DEADLINE_EXCEEDED,
  INTERNAL: status.INTERNAL,
};

/** The name that metrics show for a code. */
export function statusName(code: ErrorCode): string {
  return status[statuses[code]];
}

/** A refusal as gRPC says it: the same code and detail as over HTTP. */
export function statusOf({ code, detail, retryAfterSeconds }: PublicError, requestId: string): ServiceError {
  const metadata = new Metadata();
  // The closed list's code: PAYLOAD_TOO_LARGE and RESOURCE_EXHAUSTED share a gRPC status.
  metadata.set("setlist-code", code);
  metadata.set("request-id", headerText(requestId));
  if (retryAfterSeconds !== undefined) metadata.set("retry-after", String(retryAfterSeconds));
  return Object.assign(new Error(detail), { code: statuses[code], details: detail, metadata });
}

import type { ErrorCode } from "../domain/error.ts";
import type { PublicError } from "../serving/public-error.ts";

/** The one mapping of error codes to HTTP: status and title (RFC 9457: the same for every problem of its type). */
export const problemTypes: Readonly<Record<ErrorCode, { status: number; title: string }>> = {
  INVALID_ARGUMENT: { status: 400, title: "The request is not valid" },
  UNAUTHENTICATED: { status: 401, title: "Who asks is not known" },
  PERMISSION_DENIED: { status: 403, title: "Who asks may not do this" },
  NOT_FOUND: { status: 404, title: "There is no such thing" },
  ABORTED: { status: 409, title: "As things stand it cannot be done" },
  PAYLOAD_TOO_LARGE: { status: 413, title: "The request is too large" },
  RESOURCE_EXHAUSTED: { status: 429, title: "Too many requests" },
  UNAVAILABLE: { status: 503, title: "Not available at the moment" },
  DEADLINE_EXCEEDED: { status: 504, title: "The deadline has passed" },
  INTERNAL: { status: 500, title: "An internal error" },
};

export const problemContentType = "application/problem+json";

/** An RFC 9457 problem as it leaves. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: ErrorCode;
  readonly requestId: string;
}

/**
 * @param status where HTTP has a more exact status than the code's own: 405, 408, 414, 415, 417, 431.
 */
export function problemOf(error: PublicError, requestId: string, status?: number): Problem {
  const { code, detail } = error;
  const known = problemTypes[code];
  return {
    type: `urn:setlist:error:${code.toLowerCase().replaceAll("_", "-")}`,
    title: known.title,
    status: status ?? known.status,
    detail,
    code,
    requestId,
  };
}

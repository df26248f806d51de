import { type ErrorCode, SetlistError } from "../domain/error.ts";

/** What whoever asked may know of an error: the same on every transport. */
export interface PublicError {
  readonly code: ErrorCode;
  readonly detail: string;
  readonly retryAfterSeconds: number | undefined;
}

/** A detail may repeat a name from the request, which may fill a body; it also has to fit a header of HTTP/2. */
const detailCharactersMax = 1_000;

/** How long to wait where whoever threw could not say: longer than a queue of ours takes to empty. */
const retryAfterSecondsDefault = 1;

/**
 * The public face of whatever was thrown. A `SetlistError` shows its detail; anything else is a defect of ours and
 * shows nothing of the inside: the reader gets an id, and the log has the error under it.
 */
export function publicError(error: unknown): PublicError {
  if (!(error instanceof SetlistError) || error.code === "INTERNAL") {
    return { code: "INTERNAL", detail: internalDetail, retryAfterSeconds: undefined };
  }
  return {
    code: error.code,
    detail: clip(error.message.toWellFormed()),
    retryAfterSeconds: retryable.has(error.code)
      ? (error.retryAfterSeconds ?? retryAfterSecondsDefault)
      : undefined,
  };
}

const internalDetail = "an internal error; the server's log has it under this answer's request id";
const retryable: ReadonlySet<ErrorCode> = new Set(["RESOURCE_EXHAUSTED", "UNAVAILABLE"]);

function clip(detail: string): string {
  if (detail.length <= detailCharactersMax) return detail;
  // Cutting between the halves of a surrogate pair would leave a string that no header can hold.
  return `${detail.slice(0, detailCharactersMax - 1)}…`.toWellFormed();
}

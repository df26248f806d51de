import { type ErrorCode, invalidArgument, SetlistError } from "../domain/error.ts";

/** A fault of the request for which HTTP has a more exact status than the code's own: 405, 414, 415, 417. */
export class RequestFault extends SetlistError {
  readonly status: number;

  constructor(status: number, code: ErrorCode, detail: string) {
    super(code, detail);
    this.status = status;
  }
}

/**
 * Fastify's own errors in our words; whatever is not the request's fault comes back as it is. Only Fastify's codes
 * are read: its messages change with its versions.
 */
export function translateFastifyError(error: unknown, bodyBytesMax: number): unknown {
  switch ((error as { code?: unknown } | null)?.code) {
    case "FST_ERR_CTP_BODY_TOO_LARGE":
      return new SetlistError("PAYLOAD_TOO_LARGE", `body: expected at most ${bodyBytesMax} bytes`);
    case "FST_ERR_CTP_INVALID_MEDIA_TYPE":
    case "FST_ERR_CTP_INVALID_CONTENT_TYPE":
      return new RequestFault(415, "INVALID_ARGUMENT", "content-type: expected application/json");
    case "FST_ERR_CTP_EMPTY_JSON_BODY":
      return invalidArgument("body: expected a JSON object, but it is empty");
    case "FST_ERR_CTP_INVALID_CONTENT_LENGTH":
      return invalidArgument("content-length: does not match the body that came");
    case "FST_ERR_BAD_URL":
      return invalidArgument("path: not valid percent-encoding");
    case "FST_ERR_MAX_PARAM_LENGTH":
      return new RequestFault(414, "INVALID_ARGUMENT", "path: an id in it is too long");
    default:
      return error;
  }
}

/** The closed list of error codes. Each transport maps it to its own codes once; anything else is INTERNAL. */
export type ErrorCode =
  | "INVALID_ARGUMENT"
  | "UNAUTHENTICATED"
  | "PERMISSION_DENIED"
  | "NOT_FOUND"
  | "ABORTED"
  | "PAYLOAD_TOO_LARGE"
  | "RESOURCE_EXHAUSTED"
  | "UNAVAILABLE"
  | "DEADLINE_EXCEEDED"
  | "INTERNAL";

/**
 * An error that may be shown to whoever asked. `message` is the detail: it names the field or the thing,
 * what was expected and what the reader can do. An error of any other class is private and shown as INTERNAL.
 */
export class SetlistError extends Error {
  override readonly name = "SetlistError";
  readonly code: ErrorCode;
  /** With RESOURCE_EXHAUSTED and UNAVAILABLE: when it is worth trying again, in whole seconds. */
  readonly retryAfterSeconds: number | undefined;

  constructor(code: ErrorCode, detail: string, options?: { cause?: unknown; retryAfterSeconds?: number }) {
    super(detail, options?.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.retryAfterSeconds = options?.retryAfterSeconds;
  }
}

/** What is wrong with a flag of the command line: whoever typed it mends it, and the exit code is 2. */
export class UsageError extends SetlistError {
  constructor(detail: string, options?: { cause?: unknown }) {
    super("INVALID_ARGUMENT", detail, options);
  }
}

/** Shorthand for the error that a reader meets most. */
export function invalidArgument(detail: string): SetlistError {
  return new SetlistError("INVALID_ARGUMENT", detail);
}

/** What whatever was thrown has to say. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

import { SetlistError } from "../domain/error.ts";

/** Why a port could not be opened, and the flag that would help. `door` is `http` or `grpc`. */
export function listenError(door: "http" | "grpc", host: string, port: number, cause: unknown): SetlistError {
  const message = cause instanceof Error ? cause.message : String(cause);
  const reason = /EADDRINUSE/.test(message)
    ? `the port is in use; stop what uses it or choose another with --${door}-port (0 picks a free one)`
    : message;
  return new SetlistError("UNAVAILABLE", `${door}: cannot listen on ${host}:${port}: ${reason}`, { cause });
}

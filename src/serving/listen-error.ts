import { messageOf, SetlistError } from "../domain/error.ts";

/** Why a port could not be opened, and the flag that would help. `door` is `http` or `grpc`. */
export function listenError(door: "http" | "grpc", host: string, port: number, cause: unknown): SetlistError {
  const message = messageOf(cause);
  return new SetlistError(
    "UNAVAILABLE",
    `${door}: cannot listen on ${host}:${port}: ${reasonOf(message, door)}`,
    { cause },
  );
}

function reasonOf(message: string, door: "http" | "grpc"): string {
  if (/EADDRINUSE/.test(message)) {
    return `the port is in use; stop what uses it or choose another with --${door}-port (0 picks a free one)`;
  }
  // What Node says where the system has no SO_REUSEPORT that spreads connections.
  if (/ENOTSUP/.test(message)) {
    return "this system does not let several processes share a port; start with --processes 1";
  }
  return message;
}

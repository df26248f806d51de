import type { Socket } from "node:net";
import { v7 as uuidv7 } from "uuid";
import { type ErrorCode, SetlistError } from "../domain/error.ts";
import type { RequestObserver } from "../domain/observers.ts";
import { publicError } from "../serving/public-error.ts";
import type { ConnectionRules } from "./connection-rules.ts";
import { problemContentType, problemOf } from "./problem.ts";
import { isSilent } from "./silent-connection.ts";

type ClientErrorAnswer = (error: Error & { code?: string }, socket: Socket) => void;

/**
 * Answers what Node's HTTP parser refused, below Fastify: bytes that are no HTTP, headers that are too large or too
 * slow. There is no request yet, so that the answer is written to the socket by hand and the connection closed.
 * Node's clock for headers also runs on a connection on which nothing has come; such a one is no late request but an
 * idle connection, and is kept as long as those.
 */
export function clientErrorAnswer(requests: RequestObserver, rules: ConnectionRules): ClientErrorAnswer {
  // At least one: zero would mean for ever.
  const silentMs = Math.max(1, rules.keepAliveTimeoutMs - rules.headersTimeoutMs);
  return (error, socket) => {
    if (error.code === "ECONNRESET" || !socket.writable) socket.destroy();
    else if (error.code === "ERR_HTTP_REQUEST_TIMEOUT" && isSilent(socket)) socket.setTimeout(silentMs);
    else requests.answered("http", "none", String(answer(error, socket)), undefined);
  };
}

/** Returns the status. */
function answer(error: Error & { code?: string }, socket: Socket): number {
  const { code, status, detail } = faults[error.code ?? ""] ?? malformed;
  const requestId = uuidv7();
  const body = JSON.stringify(problemOf(publicError(new SetlistError(code, detail)), requestId, status));
  const head = [
    `HTTP/1.1 ${status} ${reasons[status] ?? "Bad Request"}`,
    `Content-Type: ${problemContentType}`,
    `Content-Length: ${Buffer.byteLength(body)}`,
    `Request-Id: ${requestId}`,
    "Connection: close",
  ];
  socket.end(`${head.join("\r\n")}\r\n\r\n${body}`);
  return status;
}

interface Fault {
  readonly code: ErrorCode;
  readonly status: number;
  readonly detail: string;
}

const malformed: Fault = { code: "INVALID_ARGUMENT", status: 400, detail: "request: not valid HTTP/1.1" };

const faults: Readonly<Record<string, Fault>> = {
  HPE_HEADER_OVERFLOW: {
    code: "PAYLOAD_TOO_LARGE",
    status: 431,
    detail: "headers: expected at most 16384 bytes together",
  },
  ERR_HTTP_REQUEST_TIMEOUT: {
    code: "DEADLINE_EXCEEDED",
    status: 408,
    detail: "request: it did not arrive whole in time",
  },
};

const reasons: Readonly<Record<number, string>> = {
  400: "Bad Request",
  408: "Request Timeout",
  431: "Request Header Fields Too Large",
};

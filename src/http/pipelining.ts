import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { SetlistError } from "../domain/error.ts";
import type { RequestObserver } from "../domain/observers.ts";
import { publicError } from "../serving/public-error.ts";
import { newRequestId } from "../serving/request-id.ts";
import { problemContentType, problemOf } from "./problem.ts";

/**
 * Requests of one connection that wait for their answers. Hardly a client sends any ahead; Node takes as many as stand
 * in 64 KiB, some 1,600, and begins them all at once: with a file or a page of metrics each, that is memory, file
 * descriptors and seconds of this thread for the price of one packet.
 */
const pipelinedMax = 32;

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/** Refuses what is sent ahead beyond that, and ends the connection. Goes around what answers so far. */
export function limitPipelining(server: Server, requests: RequestObserver): void {
  const [answer] = server.listeners("request") as [Answer];
  const waiting = new WeakMap<Socket, number>();
  server.removeAllListeners("request");
  server.on("request", (request: IncomingMessage, response: ServerResponse) => {
    const { socket } = request;
    const before = waiting.get(socket) ?? 0;
    if (before >= pipelinedMax) {
      refuse(response);
      requests.answered("http", "none", String(refused.status), undefined);
      return;
    }
    waiting.set(socket, before + 1);
    response.once("close", () => waiting.set(socket, (waiting.get(socket) as number) - 1));
    answer(request, response);
  });
}

function refuse(response: ServerResponse): void {
  const requestId = newRequestId();
  const body = JSON.stringify(problemOf(refusal, requestId));
  response.shouldKeepAlive = false;
  response.writeHead(refused.status, {
    "content-type": problemContentType,
    "content-length": Buffer.byteLength(body),
    "retry-after": String(refusal.retryAfterSeconds),
    "request-id": requestId,
  });
  response.end(body);
}

const refusal = publicError(
  new SetlistError(
    "RESOURCE_EXHAUSTED",
    `request: at most ${pipelinedMax} of a connection may wait for their answers; send one after the other`,
  ),
);
const refused = problemOf(refusal, "");

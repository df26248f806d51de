import type { IncomingMessage, ServerResponse } from "node:http";
import type { FastifyInstance } from "fastify";
import { publicError } from "../serving/public-error.ts";
import { newRequestId } from "../serving/request-id.ts";
import { tooManyRequests } from "../serving/serving.ts";
import type { HttpContext } from "./context.ts";
import { rankPath } from "./json-body.ts";
import { problemContentType, problemOf } from "./problem.ts";

/**
 * Refuses rank requests that are too many once their head has come: ahead of their body and of Fastify a refusal
 * takes 17 to 22 us of this thread where an answer takes 70 to 100, and what is let in is still answered in time. Serving would
 * refuse them too, but only after they had been read.
 */
export function refuseTooMany(
  app: FastifyInstance,
  { serving, readiness, requests, clock }: Pick<HttpContext, "serving" | "readiness" | "requests" | "clock">,
): void {
  const { server } = app;
  server.removeAllListeners("request");
  server.on("request", (request: IncomingMessage, response: ServerResponse) => {
    if (request.url !== rankPath || request.method !== "POST" || serving.hasRoom()) {
      app.routing(request, response);
      return;
    }
    const began = clock.monotonic();
    // While draining, a client that keeps its connection learns to open one elsewhere.
    if (readiness.state() === "draining") response.shouldKeepAlive = false;
    const requestId = newRequestId();
    const problem = problemOf(refusal, requestId);
    response.writeHead(problem.status, { ...refusalHeaders, "request-id": requestId });
    response.end(JSON.stringify(problem));
    requests.answered("http", rankPath, String(problem.status), undefined);
    serving.refused(clock.monotonic() - began);
  });
}

const refusal = publicError(tooManyRequests);
const refusalHeaders = {
  "content-type": problemContentType,
  "content-length": Buffer.byteLength(JSON.stringify(problemOf(refusal, newRequestId()))),
  "retry-after": String(refusal.retryAfterSeconds),
};

import type { FastifyInstance, FastifyRequest } from "fastify";
import { invalidArgument, type SetlistError } from "../domain/error.ts";
import { RequestFault } from "./request-fault.ts";

/**
 * Checks what Node would refuse with an empty body: a request of HTTP/1.1 without a host, and an expectation that is
 * not `100-continue`. Goes with the server's `requireHostHeader: false`.
 */
export function checkRequestHeads(app: FastifyInstance): void {
  app.server.on("checkExpectation", (request, response) => app.routing(request, response));
  app.addHook("onRequest", (request, _reply, next) => {
    next(faultOfHead(request));
  });
}

function faultOfHead({ raw }: FastifyRequest): SetlistError | undefined {
  const { host, expect } = raw.headers;
  if (host === undefined && raw.httpVersion === "1.1") {
    return invalidArgument("host: expected, as HTTP/1.1 asks, but missing");
  }
  if (expect === undefined || /^100-continue$/i.test(expect)) return undefined;
  const detail = `expect: expected 100-continue or none, got ${JSON.stringify(expect)}`;
  return new RequestFault(417, "INVALID_ARGUMENT", detail);
}

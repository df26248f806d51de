import type { FastifyInstance } from "fastify";
import { invalidArgument } from "../domain/error.ts";

/**
 * JSON is the only content type that comes in. Keys that would reach a prototype (`__proto__`, `constructor` with a
 * `prototype` inside) are refused by Fastify's parser; what is malformed is answered with the place where it is.
 */
export function acceptJsonOnly(app: FastifyInstance): void {
  const parse = app.getDefaultJsonParser("error", "error");
  app.removeAllContentTypeParsers();
  app.addContentTypeParser<string>("application/json", { parseAs: "string" }, (request, body, done) => {
    void parse(request, body, (error, value) => {
      if (error === null || body.length === 0) done(error, value);
      else done(faultIn(body));
    });
  });
}

/** Parses once more, since Fastify's error does not say where; only what was refused comes here. */
function faultIn(body: string): Error {
  try {
    JSON.parse(body);
  } catch (error) {
    return invalidArgument(`body: malformed JSON: ${(error as SyntaxError).message}`);
  }
  return invalidArgument("body: the keys __proto__ and constructor.prototype are not allowed");
}

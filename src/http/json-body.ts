import { isUtf8 } from "node:buffer";
import type { IncomingHttpHeaders } from "node:http";
import type { FastifyInstance, FastifyRequest } from "fastify";
import { invalidArgument, type SetlistError } from "../domain/error.ts";
import type { IdBytes } from "../domain/id-bytes.ts";
import type { Limits } from "../domain/limits.ts";
import { clearMark, takeCandidateIds } from "./candidate-ids.ts";
import { RequestFault } from "./request-fault.ts";

/** The one route whose bodies are hundreds of ids. */
export const rankPath = "/v1/rank";

declare module "fastify" {
  interface FastifyRequest {
    /** The body's `candidateIds`, which then has none of them. */
    idBytes: IdBytes | undefined;
  }
}

/**
 * JSON in UTF-8 is the only content that comes in. Keys that would reach a prototype (`__proto__`, `constructor` with
 * a `prototype` inside) are refused by Fastify's parser; what is malformed is answered with the place where it is.
 */
export function acceptJsonOnly(app: FastifyInstance, limits: Limits): void {
  app.decorateRequest("idBytes", undefined);
  const parse = app.getDefaultJsonParser("error", "error");
  app.removeAllContentTypeParsers();
  app.addContentTypeParser<Buffer>("application/json", { parseAs: "buffer" }, (request, body, done) => {
    const fault = faultOfCoding(request.headers) ?? faultOfBytes(body);
    if (fault !== undefined) {
      done(fault);
      return;
    }
    // Many clients say that they send JSON whether they send something or not.
    if (body.length === 0 && mayBeEmpty(request)) {
      done(null, null);
      return;
    }
    const taken =
      request.routeOptions.url === rankPath ? takeCandidateIds(body, limits.candidatesMax) : undefined;
    const parseWhole = (): void => {
      const text = body.toString("utf8");
      void parse(request, text, (error, value) => {
        if (error === null || text.length === 0) done(error, value);
        else done(faultIn(text));
      });
    };
    if (taken === undefined) return parseWhole();
    void parse(request, taken.rest, (error, value) => {
      // Of a field that comes twice JSON takes the last: where it is not ours, nothing was taken.
      if (error !== null || !clearMark(value)) return parseWhole();
      request.idBytes = taken.ids;
      done(null, value);
    });
  });
}

/** Whether the route asks for nothing, or says that it does without. */
function mayBeEmpty({ routeOptions }: FastifyRequest): boolean {
  const body = routeOptions.schema?.body as { readonly type?: string | readonly string[] } | undefined;
  return body === undefined || [body.type].flat().includes("null");
}

/** A coding that we would not undo makes other bytes of the body: better to say so than to call them malformed. */
function faultOfCoding(headers: IncomingHttpHeaders): SetlistError | undefined {
  const coding = headers["content-encoding"] ?? "identity";
  if (coding.toLowerCase() !== "identity") {
    return unsupported(`content-encoding: expected none, the body as it is, got ${JSON.stringify(coding)}`);
  }
  const charset = charsetParameter.exec(headers["content-type"] ?? "")?.[1];
  if (charset === undefined || utf8Names.has(charset.toLowerCase())) return undefined;
  return unsupported(`content-type: expected charset=utf-8 or none, got ${JSON.stringify(charset)}`);
}

function unsupported(detail: string): RequestFault {
  return new RequestFault(415, "INVALID_ARGUMENT", detail);
}

const charsetParameter = /;\s*charset\s*=\s*"?([^";\s]*)/i;
const utf8Names: ReadonlySet<string> = new Set(["utf-8", "utf8"]);

/** Decoding would turn every wrong byte into the same U+FFFD, so that ids that differ would become one. */
function faultOfBytes(body: Buffer): SetlistError | undefined {
  if (isUtf8(body)) return undefined;
  return invalidArgument("body: expected UTF-8, got bytes that are none; encode the text as UTF-8");
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

import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { invalidArgument, SetlistError } from "../domain/error.ts";
import { headerText } from "../domain/header-text.ts";
import type { Limits } from "../domain/limits.ts";
import { isId } from "../serving/id.ts";
import { publicError } from "../serving/public-error.ts";
import type { HttpContext } from "./context.ts";
import { type Problem, problemContentType, problemOf } from "./problem.ts";
import { RequestFault, translateFastifyError } from "./request-fault.ts";

export type ErrorAnswer = (error: unknown, request: FastifyRequest, reply: FastifyReply) => void;
type ErrorContext = Pick<HttpContext, "limits" | "logger">;

/** Every error of every route, known or not, leaves as a problem, unless the route has a form of its own. */
export function errorAnswer(context: ErrorContext): ErrorAnswer {
  return (thrown, request, reply) => {
    const problem = beginErrorAnswer(context, thrown, request, reply);
    reply.type(problemContentType).send(JSON.stringify(problem));
  };
}

/** Sets the status and the headers; what is ours is logged under the id it shows. What is to be said is left to say. */
export function beginErrorAnswer(
  { limits, logger }: ErrorContext,
  thrown: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
): Problem {
  const error = leftEarly(request) ? gone : translateFastifyError(thrown, limits.bodyBytesMax);
  const shown = publicError(error);
  const requestId = idOf(request, limits);
  if (shown.code === "INTERNAL") {
    const route = request.routeOptions.url;
    logger.error({ requestId, transport: "http", route, err: thrown }, "request failed");
  }
  if (shown.retryAfterSeconds !== undefined) reply.header("retry-after", shown.retryAfterSeconds);
  const problem = problemOf(shown, requestId, error instanceof RequestFault ? error.status : undefined);
  reply.code(problem.status).header("request-id", headerText(requestId));
  return problem;
}

const gone = invalidArgument("request: the connection closed before it had come whole");

/** Nobody reads the answer then; but it is no defect of ours, and must not be counted and logged as one. */
function leftEarly({ raw }: FastifyRequest): boolean {
  return raw.destroyed && !raw.complete;
}

/** Paths that are not offered, in the same form. */
export function refuseUnknownPaths(app: FastifyInstance): void {
  app.setNotFoundHandler((request) => {
    throw new SetlistError(
      "NOT_FOUND",
      `path: nothing at ${request.method} ${pathOf(request.url)}; see /docs for what there is`,
    );
  });
}

/** As it came: read as a URL, `//host/x` would name a host and `//[` would be an error. The query may be secret. */
function pathOf(target: string): string {
  const [path = ""] = target.split("?", 1);
  return path.length <= pathCharactersMax ? path : `${path.slice(0, pathCharactersMax)}…`;
}

/** Enough to recognise a path by; the rest of the detail has to fit as well. */
const pathCharactersMax = 200;

/** Refuses the methods that a route does not have. Goes after the routes, whose methods `offered` holds by URL. */
export function refuseWrongMethods(
  app: FastifyInstance,
  offered: ReadonlyMap<string, ReadonlySet<string>>,
): void {
  for (const [url, methods] of offered) {
    const allow = [...methods].join(", ");
    app.route({
      method: app.supportedMethods.filter((method) => !methods.has(method)),
      url,
      schema: { hide: true },
      // Before the body is read: it makes no difference.
      onRequest: (request, reply, next) => {
        reply.header("allow", allow);
        next(
          new RequestFault(
            405,
            "INVALID_ARGUMENT",
            `method: expected one of ${allow}, got ${request.method}`,
          ),
        );
      },
      handler: () => undefined,
    });
  }
}

/** The request's own id where it has a usable one, so that client, answer and log call it the same. */
function idOf(request: FastifyRequest, limits: Limits): string {
  const own = (request.body as { requestId?: unknown } | null | undefined)?.requestId;
  return isId(own, limits) ? own : request.id;
}

import type { FastifyRequest } from "fastify";
import { TargetingKeyMissing } from "../serving/serving.ts";
import type { HttpContext } from "./context.ts";
import { beginErrorAnswer, type ErrorAnswer } from "./errors.ts";
import type { Problem } from "./problem.ts";

/**
 * An evaluation's errors as OFREP has them: the same status, headers and detail as everywhere, in the protocol's body and
 * with its codes. It also has them with 413, 415 and 500, for which the protocol names no code: its clients take an error
 * for one only where they find it.
 */
export function evaluationErrorAnswer(context: Pick<HttpContext, "limits" | "logger">): ErrorAnswer {
  return (thrown, request, reply) => {
    const problem = beginErrorAnswer(context, thrown, request, reply);
    const { key } = request.params as { key?: string };
    const body = { key, errorCode: codeOf(problem, thrown, request), errorDetails: problem.detail };
    reply.type("application/json; charset=utf-8").send(JSON.stringify(body));
  };
}

function codeOf({ code }: Problem, thrown: unknown, { body }: FastifyRequest): string {
  if (thrown instanceof TargetingKeyMissing) return "TARGETING_KEY_MISSING";
  if (code === "NOT_FOUND") return "FLAG_NOT_FOUND";
  if (code !== "INVALID_ARGUMENT") return "GENERAL";
  // Without a body there was nothing to find fault with but its bytes.
  return body === undefined ? "PARSE_ERROR" : "INVALID_CONTEXT";
}

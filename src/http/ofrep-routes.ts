import type { FastifyInstance, FastifyRequest } from "fastify";
import Type, { type Static } from "typebox";
import { invalidArgument } from "../domain/error.ts";
import type { FlagEvaluation } from "../domain/flag.ts";
import type { HttpContext } from "./context.ts";
import { entityTag, namesTag } from "./entity-tag.ts";
import { evaluationErrorAnswer } from "./ofrep-errors.ts";
import { evaluationRequestSchema, failures, flagSchema, flagsSchema } from "./ofrep-schema.ts";

const params = Type.Object({ key: Type.String({ description: "The experiment's id." }) });
const tagHeader = { ETag: { type: "string", description: "For If-None-Match." } };

/** The OpenFeature Remote Evaluation Protocol 0.3: experiments as flags. */
export function offerFlags(app: FastifyInstance, context: HttpContext): void {
  const { serving } = context;
  const answering = {
    errorHandler: evaluationErrorAnswer(context),
    // The schema is for the document: what is wrong with a context is said in the protocol's own codes.
    validatorCompiler: () => () => true,
  };

  app.post<{ Params: Static<typeof params> }>(
    "/ofrep/v1/evaluate/flags/:key",
    {
      ...answering,
      schema: {
        tags: ["openfeature"],
        summary: "Evaluate one experiment as a flag",
        description: "OFREP 0.3. Computed, not recorded: an evaluation is no exposure.",
        params,
        body: evaluationRequestSchema,
        response: { 200: flagSchema, ...failures(400, 404, 413, 415, 429, 500) },
      },
    },
    async (request, reply) => {
      const flag = serving.evaluateFlag(request.params.key, contextOf(request));
      reply.type("application/json; charset=utf-8");
      return JSON.stringify(wireFlag(flag));
    },
  );

  app.post(
    "/ofrep/v1/evaluate/flags",
    {
      ...answering,
      schema: {
        tags: ["openfeature"],
        summary: "Evaluate all experiments as flags",
        description:
          "OFREP 0.3. With `If-None-Match` and the last answer's `ETag` it is 304 without a body while nothing of " +
          "the answer has changed. Computed, not recorded: an evaluation is no exposure.",
        headers: Type.Object({ "if-none-match": Type.Optional(Type.String()) }),
        body: evaluationRequestSchema,
        response: {
          200: { ...flagsSchema, headers: tagHeader },
          304: { type: "null", description: "Nothing has changed", headers: tagHeader },
          ...failures(400, 413, 415, 429, 500),
        },
      },
    },
    async (request, reply) => {
      const flags = serving.evaluateFlags(contextOf(request));
      const body = JSON.stringify({ flags: flags.map(wireFlag) });
      const tag = entityTag(body);
      reply.header("etag", tag);
      if (namesTag(request.headers["if-none-match"], tag)) return reply.code(304).send();
      reply.type("application/json; charset=utf-8");
      return body;
    },
  );
}

/** Without a value the provider takes the application's default (OFREP's ADR 6). */
function wireFlag({ key, reason, variant, metadata }: FlagEvaluation): Static<typeof flagSchema> {
  const arm = variant === undefined ? {} : { value: variant, variant };
  return { key, reason, ...arm, metadata } as Static<typeof flagSchema>;
}

/** Other fields of the body are left to later versions of the protocol. */
function contextOf({ body }: FastifyRequest): unknown {
  if (typeof body !== "object" || body === null || Array.isArray(body)) {
    throw invalidArgument("body: expected a JSON object with a context");
  }
  return (body as { context?: unknown }).context;
}

import type { FastifyInstance } from "fastify";
import type { Static } from "typebox";
import { headerText } from "../domain/header-text.ts";
import { serverTiming } from "../serving/server-timing.ts";
import type { HttpContext } from "./context.ts";
import { rankPath } from "./json-body.ts";
import { problems } from "./problem-schema.ts";
import { rankBody } from "./rank-body.ts";
import { rankAnswerSchema, rankRequestSchema } from "./rank-schema.ts";

export function offerRank(app: FastifyInstance, { serving }: HttpContext): void {
  app.post<{ Body: Static<typeof rankRequestSchema> }>(
    rankPath,
    {
      schema: {
        tags: ["ranking"],
        summary: "Order candidates for a user, best first",
        description:
          "A request that can be answered at all is answered with an order; `degraded` then says what is missing. " +
          "`Server-Timing` says how long assign, features, queue, inference and rank took.",
        body: rankRequestSchema,
        response: { 200: rankAnswerSchema, ...problems(400, 413, 415, 429, 500, 503) },
      },
    },
    async (request, reply) => {
      const answer = await serving.rank(
        {
          ...request.body,
          requestId: request.body.requestId ?? request.id,
          candidateIds: request.idBytes ?? request.body.candidateIds,
        },
        request.receivedAt,
      );
      reply
        .header("server-timing", serverTiming(answer.timings))
        .header("request-id", headerText(answer.requestId))
        .type("application/json; charset=utf-8");
      return rankBody(answer);
    },
  );
}

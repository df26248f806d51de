import type { FastifyInstance } from "fastify";
import Type, { type Static } from "typebox";
import { wireOutcomeSchema } from "../serving/serving.ts";
import type { HttpContext } from "./context.ts";
import { problems } from "./problem-schema.ts";

/** The outcomes themselves stay unread here: serving checks each alone and rejects it by its index. */
const batchSchema = Type.Object(
  {
    outcomes: Type.Array(Type.Unsafe<unknown>({}), {
      description: "1 to 1,000 outcomes; each is checked on its own.",
      examples: [
        [
          {
            outcomeId: "o1",
            requestId: "the rank request's",
            itemId: "t9",
            type: "click",
            value: 1,
            occurredAt: "2026-11-22T08:00:00.000Z",
          },
        ],
      ],
      "x-items": wireOutcomeSchema,
    }),
  },
  { additionalProperties: false },
);

export const receiptSchema = Type.Object({
  accepted: Type.Integer({ description: "New outcomes, on disk and synced." }),
  duplicates: Type.Integer({ description: "Outcomes whose outcomeId was known." }),
  rejected: Type.Array(
    Type.Object({
      index: Type.Integer({ description: "Its place in the request, from 0." }),
      code: Type.Literal("INVALID_ARGUMENT"),
      detail: Type.String(),
    }),
  ),
});

export function offerOutcomes(app: FastifyInstance, { serving }: HttpContext): void {
  app.post<{ Body: Static<typeof batchSchema> }>(
    "/v1/outcomes",
    {
      schema: {
        tags: ["outcomes"],
        summary: "Record what listeners did with what they were shown",
        description:
          "Answered only once every accepted outcome is on disk and synced. Sending an outcome again is harmless. " +
          "An outcome for a request that the log does not know is accepted, and counted as unmatched in the metrics.",
        body: batchSchema,
        response: { 200: receiptSchema, ...problems(400, 413, 415, 500, 503) },
      },
    },
    (request) => serving.recordOutcomes(request.body.outcomes),
  );
}

import type { FastifyInstance } from "fastify";
import Type, { type Static } from "typebox";
import { trackingEventSchema } from "../serving/serving.ts";
import type { HttpContext } from "./context.ts";
import { receiptSchema } from "./outcomes-route.ts";
import { problems } from "./problem-schema.ts";

/** The events themselves stay unread here: serving checks each alone and rejects it by its index. */
const batchSchema = Type.Object(
  {
    events: Type.Array(Type.Unsafe<unknown>({}), {
      description: "1 to 1,000 events; each is checked on its own.",
      examples: [
        [
          {
            outcomeId: "e1",
            name: "exposure",
            context: { targetingKey: "u42" },
            details: { flag: "home-kd", variant: "control" },
          },
          { outcomeId: "e2", name: "checkout", context: { targetingKey: "u42" }, details: { value: 99.77 } },
        ],
      ],
      "x-items": trackingEventSchema,
    }),
  },
  { additionalProperties: false },
);

/** What OpenFeature's `track` has to send to: OFREP itself has no endpoint for it yet (open-feature/protocol, issue 71). */
export function offerTracking(app: FastifyInstance, { serving }: HttpContext): void {
  app.post<{ Body: Static<typeof batchSchema> }>(
    "/ofrep/v1/track",
    {
      schema: {
        tags: ["openfeature"],
        summary: "Record exposures, and what users did",
        description:
          "Setlist's own, no part of OFREP. Answered only once every accepted event is on disk and synced. Sending " +
          "an event again is harmless.",
        body: batchSchema,
        response: { 200: receiptSchema, ...problems(400, 413, 415, 500, 503) },
      },
    },
    (request) => serving.track(request.body.events),
  );
}

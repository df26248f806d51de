import type { FastifyInstance } from "fastify";
import Type, { type Static } from "typebox";
import { knownExperiment, listedExperiments, readableRevision } from "../rollout/rollout.ts";
import type { HttpContext } from "./context.ts";
import { experimentSchema, healthSchema, revisionSchema } from "./experiment-schema.ts";
import { problems } from "./problem-schema.ts";
import { attributesSchema, decisionSchema, sessionSchema } from "./rank-schema.ts";

const params = Type.Object({ id: Type.String() });

const assignmentRequestSchema = Type.Object(
  {
    unit: Type.String({ description: "The user's id, 1 to 256 bytes." }),
    session: Type.Optional(sessionSchema),
    requestId: Type.Optional(
      Type.String({ description: "Experiments whose unit is request go by it. 1 to 256 bytes." }),
    ),
    attributes: Type.Optional(
      Type.Object(
        { user: Type.Optional(attributesSchema), context: Type.Optional(attributesSchema) },
        { additionalProperties: false },
      ),
    ),
  },
  { additionalProperties: false },
);

const assignmentAnswerSchema = Type.Object({
  unit: Type.String(),
  assignments: Type.Array(
    Type.Object({
      experiment: Type.String(),
      arm: Type.String(),
      layer: Type.String(),
      phase: Type.Integer(),
      unit: Type.String(),
      propensity: Type.Number({ description: "The arm's share of the weights." }),
      overridden: Type.Boolean({ description: "Forced: served like any other, never analysed." }),
    }),
  ),
  decisions: Type.Array(decisionSchema),
});

/** Reading experiments and asking for assignments. */
export function offerExperiments(app: FastifyInstance, { experiments, health, serving }: HttpContext): void {
  app.get(
    "/v1/experiments",
    {
      schema: {
        tags: ["experiments"],
        summary: "All experiments",
        response: {
          200: Type.Object({
            experiments: Type.Array(experimentSchema),
            stale: Type.Optional(
              Type.Object(
                {
                  since: Type.String({ format: "date-time", description: "When it last could." }),
                  reason: Type.String(),
                },
                { description: "The experiments may be old: their store cannot be asked." },
              ),
            ),
          }),
          ...problems(500),
        },
      },
    },
    async () => {
      await experiments.refresh();
      return listedExperiments(experiments);
    },
  );

  app.get<{ Params: Static<typeof params> }>(
    "/v1/experiments/:id",
    {
      schema: {
        tags: ["experiments"],
        summary: "One experiment",
        params,
        response: { 200: experimentSchema, ...problems(404, 500) },
      },
    },
    async (request, reply) => {
      const experiment = await knownExperiment(experiments, request.params.id);
      reply.header("etag", `"${experiment.revision}"`);
      return experiment;
    },
  );

  app.get<{ Params: Static<typeof params> }>(
    "/v1/experiments/:id/history",
    {
      schema: {
        tags: ["experiments"],
        summary: "Every revision of an experiment: who wrote it, when and what",
        params,
        response: {
          200: Type.Object({ revisions: Type.Array(revisionSchema) }),
          ...problems(404, 500, 503),
        },
      },
    },
    async (request) => {
      const { id } = await knownExperiment(experiments, request.params.id);
      return { revisions: (await experiments.history(id)).map(readableRevision) };
    },
  );

  app.get<{ Params: Static<typeof params> }>(
    "/v1/experiments/:id/health",
    {
      schema: {
        tags: ["experiments"],
        summary: "How an experiment's guardrails and ramp are, as the last check found them",
        params,
        response: { 200: healthSchema, ...problems(404, 500, 503) },
      },
    },
    async (request) => health.healthOf(request.params.id),
  );

  app.post<{ Body: Static<typeof assignmentRequestSchema> }>(
    "/v1/assignments",
    {
      schema: {
        tags: ["experiments"],
        summary: "The arms that a unit gets, and why not where it gets none",
        description: "Computed, not recorded: asking is no exposure.",
        body: assignmentRequestSchema,
        response: { 200: assignmentAnswerSchema, ...problems(400, 413, 415, 500) },
      },
    },
    async (request) => {
      const { unit, session, requestId, attributes = {} } = request.body;
      const { user = {}, context = {} } = attributes;
      const facts = { user, context, session: session?.id, request: requestId };
      return { unit, ...serving.assignments(unit, facts) };
    },
  );
}

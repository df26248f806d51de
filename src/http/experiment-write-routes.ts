import type { FastifyInstance } from "fastify";
import Type, { type Static } from "typebox";
import { experimentDocumentSchema } from "../experiments/experiments.ts";
import type { HttpContext } from "./context.ts";
import { experimentSchema } from "./experiment-schema.ts";
import { problems } from "./problem-schema.ts";
import {
  answerWritten,
  byOf,
  changeSchema,
  revisionIfSaid,
  revisionOf,
  writeHeaders,
  writeQuery,
} from "./write-request.ts";

const params = Type.Object({ id: Type.String() });
type Params = { Params: Static<typeof params> };

/** What was read may be sent back as it is: what the store adds to it is passed over. */
const documentBody = Type.Unsafe<object>({
  type: "object",
  description:
    "An experiment as people write it. `revision`, `phase`, `ranges`, `killed`, `winner`, `breach` and `change`, which answers add to it, are passed over.",
  properties: experimentDocumentSchema.properties,
});

const importBody = Type.Object(
  { experiments: Type.Array(documentBody, { maxItems: 1_000 }) },
  { additionalProperties: false },
);

const answer = Type.Object({ ...experimentSchema.properties, change: changeSchema });

/** A body that may be left out. */
function optionalBody(properties: object): ReturnType<typeof Type.Unsafe<Record<string, string> | null>> {
  return Type.Unsafe<Record<string, string> | null>({
    type: ["object", "null"],
    properties,
    additionalProperties: false,
  });
}

/** What all writes have in common, but for what they answer with beside it. */
const written = (summary: string, ...more: number[]) => ({
  tags: ["experiments"],
  summary,
  querystring: writeQuery,
  headers: writeHeaders,
  response: { 200: answer, ...problems(400, 404, 409, 500, 503, ...more) },
});

/** Changing experiments: every write names the revision that it read, and is refused where that is stale. */
export function offerExperimentWrites(app: FastifyInstance, { writes }: HttpContext): void {
  app.post<{ Body: object }>(
    "/v1/experiments",
    {
      schema: {
        ...written("A new experiment, a draft", 413, 415),
        body: documentBody,
        response: { 200: answer, 201: answer, ...problems(400, 409, 413, 415, 500, 503) },
      },
    },
    async (request, reply) => {
      const made = await writes.create(request.body, byOf(request));
      if (!made.change.dryRun) {
        reply.code(201).header("location", `/v1/experiments/${encodeURIComponent(made.experiment.id)}`);
      }
      return answerWritten(reply, made);
    },
  );

  app.put<{ Body: Static<typeof importBody> }>(
    "/v1/experiments",
    {
      schema: {
        tags: ["experiments"],
        summary: "Import several experiments, all or none",
        description:
          "Each document says the `revision` that it was compared with, or none where it is to be new. Experiments that are not named stay as they are.",
        querystring: writeQuery,
        headers: writeHeaders,
        body: importBody,
        response: {
          200: Type.Object({ experiments: Type.Array(answer) }),
          ...problems(400, 409, 413, 415, 500, 503),
        },
      },
    },
    async (request) => {
      const made = await writes.import(request.body.experiments, byOf(request));
      return { experiments: made.map(({ experiment, change }) => ({ ...experiment, change })) };
    },
  );

  app.put<Params & { Body: object }>(
    "/v1/experiments/:id",
    {
      schema: {
        ...written("Put a whole document in the place of an experiment", 413, 415),
        description:
          "A change to the kind, arms, weights, salt, unit, targeting, prerequisites, layer or surface of one that has begun starts a new phase, and has to be confirmed; so has traffic that goes down.",
        params,
        body: documentBody,
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      return answerWritten(reply, await writes.replace(id, revisionOf(request), request.body, byOf(request)));
    },
  );

  for (const [move, summary] of [
    ["start", "Start a draft, or one that is paused or stopped"],
    ["pause", "Pause: nobody is assigned, and everyone is back in the same arm when it goes on"],
  ] as const) {
    app.post<Params>(
      `/v1/experiments/:id/${move}`,
      { schema: { ...written(summary), params } },
      async (request, reply) => {
        const { id } = request.params;
        return answerWritten(
          reply,
          await writes.move(move, id, revisionOf(request), undefined, byOf(request)),
        );
      },
    );
  }

  app.post<Params & { Body: { winner?: string } | null }>(
    "/v1/experiments/:id/stop",
    {
      schema: {
        ...written("Stop, perhaps for an arm that won", 413, 415),
        params,
        body: optionalBody({ winner: { type: "string", description: "An arm." } }),
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const winner = request.body?.winner;
      return answerWritten(reply, await writes.move("stop", id, revisionOf(request), winner, byOf(request)));
    },
  );

  app.post<Params & { Body: { arm?: string } | null }>(
    "/v1/experiments/:id/ship",
    {
      schema: {
        ...written("Make an arm the surface's default, and stop", 413, 415),
        description: "The arm's model and value model serve the surface from then on.",
        params,
        body: optionalBody({ arm: { type: "string", description: "The winner, where absent." } }),
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      return answerWritten(
        reply,
        await writes.ship(id, revisionOf(request), request.body?.arm, byOf(request)),
      );
    },
  );

  app.post<Params & { Body: { reason: string } }>(
    "/v1/experiments/:id/kill",
    {
      schema: {
        ...written("Kill: everyone gets the surface's default at once", 413, 415),
        description: "An emergency: `If-Match` may be left out.",
        params,
        body: Type.Object(
          { reason: Type.String({ description: "For whoever finds it off." }) },
          { additionalProperties: false },
        ),
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const { reason } = request.body;
      return answerWritten(reply, await writes.kill(id, revisionIfSaid(request), reason, byOf(request)));
    },
  );

  app.post<Params>(
    "/v1/experiments/:id/revive",
    { schema: { ...written("Take a kill back"), params } },
    async (request, reply) => {
      const { id } = request.params;
      return answerWritten(reply, await writes.revive(id, revisionOf(request), byOf(request)));
    },
  );
}

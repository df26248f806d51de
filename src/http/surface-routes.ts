import type { FastifyInstance } from "fastify";
import Type, { type Static } from "typebox";
import type { ValueModelOverride } from "../domain/model.ts";
import { knownSurface, revisionNote, surfaceView, surfaceViews } from "../rollout/rollout.ts";
import { valueModelOverrideSchema } from "../schema/value-model.ts";
import type { HttpContext } from "./context.ts";
import { modelReferenceSchema, revisionNote as noteSchema } from "./experiment-schema.ts";
import { problems } from "./problem-schema.ts";
import { byOf, changeSchema, revisionIfSaid, revisionOf, writeHeaders, writeQuery } from "./write-request.ts";

const valueModel = Type.Optional(Type.Unsafe<ValueModelOverride>({ ...valueModelOverrideSchema }));

const surfaceFields = {
  surface: Type.String(),
  model: modelReferenceSchema,
  valueModel,
  origin: Type.Enum(["configuration", "shipped"]),
  experiment: Type.Optional(Type.String({ description: "Whose arm was shipped." })),
  arm: Type.Optional(Type.String()),
  revision: Type.Integer({ description: "0 where nothing was ever shipped." }),
};

const shippedSchema = Type.Object({
  model: modelReferenceSchema,
  valueModel,
  experiment: Type.String(),
  arm: Type.String(),
});

const killSwitchFields = {
  on: Type.Boolean(),
  reason: Type.String(),
  revision: Type.Integer({ description: "0 where it was never moved." }),
};

const params = Type.Object({ surface: Type.String() });
type Params = { Params: Static<typeof params> };

/** What serves a surface without an experiment, and the switch that turns all experiments off. */
export function offerSurfaces(app: FastifyInstance, context: HttpContext): void {
  const { experiments, surfaces, writes } = context;
  app.get(
    "/v1/surfaces",
    {
      schema: {
        tags: ["experiments"],
        summary: "What serves each surface without an experiment, and who says so",
        response: {
          200: Type.Object({ surfaces: Type.Array(Type.Object(surfaceFields)) }),
          ...problems(500),
        },
      },
    },
    async () => ({ surfaces: [...surfaceViews(surfaces, await experiments.refresh())] }),
  );

  app.get<Params>(
    "/v1/surfaces/:surface/history",
    {
      schema: {
        tags: ["experiments"],
        summary: "What was shipped to a surface: who, when and what",
        params,
        response: {
          200: Type.Object({
            revisions: Type.Array(
              Type.Object({
                surface: Type.String(),
                shipped: Type.Optional(shippedSchema),
                revision: Type.Integer(),
                ...noteSchema,
              }),
            ),
          }),
          ...problems(404, 500, 503),
        },
      },
    },
    async (request) => {
      const history = await experiments.surfaceHistory(knownSurface(surfaces, request.params.surface));
      return { revisions: history.map((one) => ({ ...one.document, ...revisionNote(one) })) };
    },
  );

  app.post<Params>(
    "/v1/surfaces/:surface/restore",
    {
      schema: {
        tags: ["experiments"],
        summary: "The configuration's default again, in place of what was shipped",
        params,
        querystring: writeQuery,
        headers: writeHeaders,
        response: {
          200: Type.Object({ ...surfaceFields, change: changeSchema }),
          ...problems(400, 404, 409, 500, 503),
        },
      },
    },
    async (request, reply) => {
      const name = knownSurface(surfaces, request.params.surface);
      const { surface, change } = await writes.restore(name, revisionOf(request), byOf(request));
      reply.header("etag", `"${surface.revision}"`);
      return { ...surfaceView(surfaces, name, surface), change: { ...change, fields: [...change.fields] } };
    },
  );

  app.get(
    "/v1/kill-switch",
    {
      schema: {
        tags: ["experiments"],
        summary: "Whether all experiments are off",
        response: { 200: Type.Object(killSwitchFields), ...problems(500) },
      },
    },
    async (_request, reply) => {
      const { killSwitch } = await experiments.refresh();
      reply.header("etag", `"${killSwitch.revision}"`);
      return killSwitch;
    },
  );

  app.post<{ Body: { on: boolean; reason?: string } }>(
    "/v1/kill-switch",
    {
      schema: {
        tags: ["experiments"],
        summary: "Turn all experiments off at once, or on again",
        description:
          "While it is on everyone gets the surface's default. Turning it on is an emergency: `If-Match` may be left out then.",
        querystring: writeQuery,
        headers: writeHeaders,
        body: Type.Object(
          {
            on: Type.Boolean(),
            reason: Type.Optional(Type.String({ description: "Expected where it is turned on." })),
          },
          { additionalProperties: false },
        ),
        response: {
          200: Type.Object({ ...killSwitchFields, change: changeSchema }),
          ...problems(400, 409, 413, 415, 500, 503),
        },
      },
    },
    async (request, reply) => {
      const { on, reason = "" } = request.body;
      const revision = on ? revisionIfSaid(request) : revisionOf(request);
      const { killSwitch, change } = await writes.killSwitch({ on, reason, revision }, byOf(request));
      reply.header("etag", `"${killSwitch.revision}"`);
      return { ...killSwitch, change: { ...change, fields: [...change.fields] } };
    },
  );

  app.get(
    "/v1/kill-switch/history",
    {
      schema: {
        tags: ["experiments"],
        summary: "Every move of the kill switch: who, when and why",
        response: {
          200: Type.Object({
            revisions: Type.Array(Type.Object({ ...killSwitchFields, ...noteSchema })),
          }),
          ...problems(500, 503),
        },
      },
    },
    async () => ({
      revisions: (await experiments.killSwitchHistory()).map((one) => ({
        ...one.document,
        ...revisionNote(one),
      })),
    }),
  );
}

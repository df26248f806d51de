import type { FastifyInstance } from "fastify";
import Type, { type Static } from "typebox";
import { executionProviders } from "../domain/execution-provider.ts";
import type { ModelVersion } from "../domain/model.ts";
import { type ModelLabelMove, type ModelVersionStatus, modelStates } from "../domain/model-life.ts";
import { checkText } from "../schema/text.ts";
import type { HttpContext } from "./context.ts";
import { problems } from "./problem-schema.ts";

const provider = Type.Union(executionProviders.map((name) => Type.Literal(name)));

const executionSchema = Type.Object(
  {
    configured: Type.Array(provider, { description: "As the configuration lists them, most wanted first." }),
    provider: Type.Union(provider.anyOf, { description: "Runs most of the model's operators." }),
    operators: Type.Optional(
      Type.Record(Type.String(), Type.Integer(), {
        description: "Operators by the provider that ran them; absent where only the CPU's could.",
      }),
    ),
  },
  { description: "On what ONNX Runtime really runs the model, as seen in its first runs." },
);

const versionSchema = Type.Object({
  name: Type.String(),
  version: Type.String(),
  state: Type.Enum([...modelStates]),
  reason: Type.Optional(Type.String({ description: "Of a refusal: file, expected and found." })),
  labels: Type.Array(Type.String(), { description: "Those that stand on it." }),
});

const modelsSchema = Type.Object({
  models: Type.Array(
    Type.Object({
      name: Type.String(),
      version: Type.String(),
      surface: Type.String(),
      description: Type.String(),
      tasks: Type.Array(Type.String()),
      execution: Type.Optional(executionSchema),
      provenance: Type.Unsafe<unknown>({ description: "What the recipe says about itself, as it stands." }),
    }),
    { description: "Those that serve." },
  ),
  versions: Type.Array(versionSchema, {
    description: "Every version that the repository or the memory has.",
  }),
});

const labelMoveSchema = Type.Object({
  label: Type.String(),
  version: Type.String(),
  previous: Type.Optional(Type.String()),
  who: Type.String(),
  at: Type.String({ description: "ISO 8601, UTC, with milliseconds." }),
});

const labelSchema = Type.Object({
  name: Type.String(),
  label: Type.String(),
  version: Type.String(),
  previous: Type.Optional(
    Type.String({ description: "Where it stood before; kept loaded for the way back." }),
  ),
});

const versionParams = Type.Object({ name: Type.String(), version: Type.String() });
const labelParams = Type.Object({ name: Type.String(), label: Type.String() });
const nameParams = Type.Object({ name: Type.String() });
const moveSchema = Type.Object(
  {
    version: Type.String({ description: "A loaded one." }),
    who: Type.Optional(Type.String({ minLength: 1, maxLength: 256, description: "For the history." })),
  },
  { additionalProperties: false },
);

/** What is loaded, and the few ways to change that by hand. */
export function offerModels(app: FastifyInstance, { scorer, models }: HttpContext): void {
  app.get(
    "/v1/models",
    {
      schema: {
        tags: ["models"],
        summary: "Every loaded model version, and the state of every other",
        response: { 200: modelsSchema, ...problems(500) },
      },
    },
    async () => ({
      models: scorer.models().map((model) => {
        const { name, version, surface, description, tasks, provenance } = model;
        const execution = scorer.execution(model);
        return { name, version, surface, description, tasks, execution, provenance };
      }),
      versions: [...models.versions()].map((one) => ({ ...one, labels: [...one.labels] })),
    }),
  );

  const statusOf = ({ name, version }: ModelVersion): ModelVersionStatus =>
    models.versions().find((one) => one.name === name && one.version === version) ?? {
      name,
      version,
      state: "available",
      labels: [],
    };

  app.post<{ Params: Static<typeof versionParams> }>(
    "/v1/models/:name/versions/:version/load",
    {
      schema: {
        tags: ["models"],
        summary: "Serve a version that the version policy leaves out",
        description: "Answers once it serves. It stays until it is unloaded, or the server ends.",
        params: versionParams,
        response: { 200: versionSchema, ...problems(400, 404, 500, 503) },
      },
    },
    async ({ params }) => {
      await models.load(params);
      return statusOf(params);
    },
  );

  app.post<{ Params: Static<typeof versionParams> }>(
    "/v1/models/:name/versions/:version/unload",
    {
      schema: {
        tags: ["models"],
        summary: "Serve a version no longer",
        description:
          "No new request finds it; it leaves memory once the last that had found it is answered. Refused where an experiment, a surface or a label needs it.",
        params: versionParams,
        response: { 200: versionSchema, ...problems(404, 409, 500, 503) },
      },
    },
    async ({ params }) => {
      await models.unload(params);
      return statusOf(params);
    },
  );

  app.put<{ Params: Static<typeof labelParams>; Body: Static<typeof moveSchema> }>(
    "/v1/models/:name/labels/:label",
    {
      schema: {
        tags: ["models"],
        summary: "Put a label onto a loaded version",
        description:
          "Whoever names the label is served by that version from the next request on. A label can be moved, and not removed.",
        params: labelParams,
        body: moveSchema,
        response: { 200: labelSchema, ...problems(400, 404, 409, 413, 415, 500, 503) },
      },
    },
    async ({ params, body: { version, who = "api" } }) => {
      checkText(who, "who");
      await models.moveLabel({ ...params, version }, who);
      const standing = models
        .labels()
        .find(({ name, label }) => name === params.name && label === params.label);
      return { ...params, version, ...previousOf(standing?.previous) };
    },
  );

  app.get<{ Params: Static<typeof nameParams> }>(
    "/v1/models/:name/labels",
    {
      schema: {
        tags: ["models"],
        summary: "Where a model's labels stand, and every move",
        params: nameParams,
        response: {
          200: Type.Object({ labels: Type.Array(labelSchema), history: Type.Array(labelMoveSchema) }),
          ...problems(500),
        },
      },
    },
    async ({ params }) => ({
      labels: models
        .labels()
        .filter(({ name }) => name === params.name)
        .map(({ name, label, version, previous }) => ({ name, label, version, ...previousOf(previous) })),
      history: models.labelHistory(params.name).map(readableMove),
    }),
  );
}

function readableMove({ label, version, previous, who, at }: ModelLabelMove): Static<typeof labelMoveSchema> {
  return { label, version, ...previousOf(previous), who, at: new Date(at).toISOString() };
}

function previousOf(previous: string | undefined): { previous?: string } {
  return previous === undefined ? {} : { previous };
}

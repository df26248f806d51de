import type { FastifyInstance } from "fastify";
import Type from "typebox";
import { executionProviders } from "../domain/execution-provider.ts";
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
  ),
});

export function offerModels(app: FastifyInstance, { scorer }: HttpContext): void {
  app.get(
    "/v1/models",
    {
      schema: {
        tags: ["models"],
        summary: "Every loaded model version",
        response: { 200: modelsSchema, ...problems(500) },
      },
    },
    async () => ({
      models: scorer.models().map((model) => {
        const { name, version, surface, description, tasks, provenance } = model;
        const execution = scorer.execution(model);
        return { name, version, surface, description, tasks, execution, provenance };
      }),
    }),
  );
}

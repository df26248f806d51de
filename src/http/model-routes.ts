import type { FastifyInstance } from "fastify";
import Type from "typebox";
import type { HttpContext } from "./context.ts";
import { problems } from "./problem-schema.ts";

const modelsSchema = Type.Object({
  models: Type.Array(
    Type.Object({
      name: Type.String(),
      version: Type.String(),
      surface: Type.String(),
      description: Type.String(),
      tasks: Type.Array(Type.String()),
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
        return { name, version, surface, description, tasks, provenance };
      }),
    }),
  );
}

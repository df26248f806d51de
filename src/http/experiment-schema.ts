import Type from "typebox";
import type { ValueModelOverride } from "../domain/model.ts";
import { valueModelOverrideSchema } from "../schema/value-model.ts";

/** An experiment as it is shown: the document, and what the store adds to it. */
export const experimentSchema = Type.Object({
  id: Type.String(),
  description: Type.String(),
  surface: Type.String(),
  layer: Type.String(),
  unit: Type.Literal("user"),
  salt: Type.String(),
  traffic: Type.Number({ description: "Share of the layer, in [0, 1]." }),
  status: Type.Enum(["draft", "running", "paused", "stopped"]),
  arms: Type.Array(
    Type.Object({
      id: Type.String(),
      control: Type.Boolean(),
      weight: Type.Number(),
      model: Type.Object({
        name: Type.String(),
        version: Type.Optional(
          Type.String({ description: "Where there is no label either, the highest loaded one." }),
        ),
        label: Type.Optional(Type.String({ description: "In place of a version: the one it stands on." })),
      }),
      valueModel: Type.Optional(
        Type.Unsafe<ValueModelOverride>({
          ...valueModelOverrideSchema,
          description: "Goes before the surface's value model, and that before the model's own.",
        }),
      ),
    }),
  ),
  targeting: Type.Optional(
    Type.String({ description: "CEL over user.* and context.*; absent targets all." }),
  ),
  overrides: Type.Record(Type.String(), Type.String(), { description: "Unit id to arm id." }),
  metrics: Type.Array(
    Type.Object({
      id: Type.String(),
      type: Type.Enum(["mean", "proportion"]),
      outcome: Type.String(),
      aggregate: Type.Enum(["count", "sum", "any"]),
      goal: Type.Enum(["increase", "decrease"]),
      role: Type.Enum(["primary", "secondary", "guardrail"]),
    }),
  ),
  revision: Type.Integer({ description: "Rises by one with every write." }),
  phase: Type.Integer({ description: "The analysis never mixes phases." }),
  ranges: Type.Array(Type.Object({ from: Type.Number(), to: Type.Number() }), {
    description: "The experiment's part of its layer.",
  }),
  killed: Type.Optional(Type.String({ description: "Why it was killed: it assigns nobody meanwhile." })),
  winner: Type.Optional(Type.String({ description: "The arm that a stopped one was stopped for." })),
});

/** Beside what stood there. */
export const revisionNote = {
  who: Type.String(),
  at: Type.String({ description: "ISO 8601, UTC, with milliseconds." }),
  what: Type.String(),
  hash: Type.Optional(
    Type.String({
      description: "SHA-256 of all experiments, shipped defaults and the kill switch as the write left them.",
    }),
  ),
};

export const revisionSchema = Type.Object({ experiment: experimentSchema, ...revisionNote });

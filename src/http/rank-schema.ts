import Type from "typebox";
import type { AttributeValue, FeatureValue } from "../domain/feature.ts";
import type { ValueModel } from "../domain/model.ts";
import { valueModelSchema } from "../schema/value-model.ts";

/** Only types: what a value means is checked once in serving, for every transport alike. */
const closed = { additionalProperties: false };

export const attributesSchema = Type.Record(
  Type.String(),
  Type.Unsafe<AttributeValue>({ type: ["string", "number", "boolean"] }),
  { description: "Facts that targeting reads." },
);

/** One type list in place of a union of four: a fourth of the work, and an error that says what would be right. */
const featureValue = Type.Unsafe<FeatureValue>({
  type: ["number", "string", "array"],
  anyOf: [
    { type: ["number", "string"] },
    { type: "array", items: { type: "number" } },
    { type: "array", items: { type: "string" } },
  ],
});

const features = Type.Record(Type.String(), featureValue, {
  description: "Values by feature name; they go before the feature store's.",
});

export const rankRequestSchema = Type.Object(
  {
    requestId: Type.Optional(
      Type.String({ description: "Echoed; made (UUIDv7) where absent. 1 to 256 bytes." }),
    ),
    surface: Type.String(),
    user: Type.Object(
      {
        id: Type.String({ description: "1 to 256 bytes." }),
        attributes: Type.Optional(attributesSchema),
        features: Type.Optional(features),
      },
      closed,
    ),
    context: Type.Optional(
      Type.Object({ attributes: Type.Optional(attributesSchema), features: Type.Optional(features) }, closed),
    ),
    candidates: Type.Optional(
      Type.Array(Type.Object({ id: Type.String(), features: Type.Optional(features) }, closed), {
        description: "1 to 2,000, without duplicates. Exactly one of candidates and candidateIds is given.",
      }),
    ),
    candidateIds: Type.Optional(
      Type.Array(Type.String(), {
        description: "The short form for candidates without features of their own.",
      }),
    ),
    limit: Type.Optional(Type.Number({ description: "At most this many ranked items; all where absent." })),
    timeoutMs: Type.Optional(
      Type.Number({ description: "From the arrival, in milliseconds; the surface's default where absent." }),
    ),
    explain: Type.Optional(
      Type.Boolean({
        description: "Asks for the decisions of every experiment, and for how each item came by its score.",
      }),
    ),
  },
  closed,
);

export const decisionSchema = Type.Object({
  experiment: Type.String(),
  layer: Type.String(),
  reason: Type.String({
    description:
      "assigned, override, surface, status, killed, layer-range, targeting or targeting-attribute-missing",
  }),
  detail: Type.String({ description: "One sentence for people." }),
  arm: Type.Optional(Type.String({ description: "Absent where the unit stays out." })),
  layerBucket: Type.Number({ description: "The unit's place in the layer, in [0, 1)." }),
  armBucket: Type.Number({ description: "The unit's place among the arms, in [0, 1)." }),
});

const originSchema = Type.Enum(["arm", "surface", "model"]);

const explanationSchema = Type.Object(
  {
    parts: Type.Record(Type.String(), Type.Number(), {
      description: "What each task adds to a weighted-sum, or multiplies a weighted-product by.",
    }),
    fused: Type.Number({ description: "What the parts make: the score before the steps." }),
    steps: Type.Array(
      Type.Object({
        step: Type.Literal("diversity"),
        by: Type.String({ description: "The item feature." }),
        key: Type.Optional(
          Type.String({ description: "The item's value of it; absent where nobody knows one." }),
        ),
        repeats: Type.Integer({ description: "How many better items have the same." }),
        factor: Type.Number({ description: "What the score before the step was multiplied by." }),
        score: Type.Number({ description: "After the step." }),
      }),
    ),
  },
  { description: "With explain, where a model scored: how the item came by its score." },
);

/** Documents what `rankBody` writes; nothing is serialised by it. */
export const rankAnswerSchema = Type.Object({
  requestId: Type.String(),
  surface: Type.String(),
  items: Type.Array(
    Type.Object({
      id: Type.String(),
      score: Type.Number({
        description: "The tasks fused by the model's value model; 0 where no model scored.",
      }),
      tasks: Type.Record(Type.String(), Type.Number(), { description: "The probability of each task." }),
      explanation: Type.Optional(explanationSchema),
    }),
    { description: "Best first; ties in the order of the request." },
  ),
  assignments: Type.Array(
    Type.Object({ experiment: Type.String(), arm: Type.String(), layer: Type.String() }),
  ),
  model: Type.Union([Type.Object({ name: Type.String(), version: Type.String() }), Type.Null()], {
    description: "Null where no model scored: the items then come in the order of the request.",
  }),
  degraded: Type.Array(Type.String(), {
    description:
      "deadline, overload, model-unavailable, feature-store-unavailable, defaults:N, truncated:N. Empty: all is well.",
  }),
  decisions: Type.Optional(Type.Array(decisionSchema, { description: "With explain." })),
  valueModel: Type.Optional(
    Type.Unsafe<ValueModel>({
      ...valueModelSchema,
      description: "With explain, where a model scored: what made the order.",
    }),
  ),
  valueModelOrigin: Type.Optional(
    Type.Object(
      { fusion: originSchema, diversity: originSchema },
      { description: "With explain: where each half of the value model stands written." },
    ),
  ),
});

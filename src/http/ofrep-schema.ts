/**
 * The bodies of the OpenFeature Remote Evaluation Protocol 0.3 (open-feature/protocol, service/openapi.yaml), as far as
 * experiments have use for them.
 */
import Type, { type TSchema } from "typebox";

export const evaluationRequestSchema = Type.Object({
  context: Type.Object(
    {
      targetingKey: Type.String({ description: "The user's id, 1 to 256 bytes." }),
      sessionId: Type.Optional(Type.String({ description: "For experiments that split by session." })),
      requestId: Type.Optional(Type.String({ description: "For experiments that split by request." })),
      user: Type.Optional(
        Type.Object({}, { additionalProperties: true, description: "Attributes of the user." }),
      ),
      context: Type.Optional(
        Type.Object({}, { additionalProperties: true, description: "Attributes of the context." }),
      ),
    },
    {
      additionalProperties: true,
      description: "Texts, numbers and booleans beside `user` and `context` are attributes of both.",
      examples: [{ targetingKey: "u42", country: "DE", context: { device: "ios" } }],
    },
  ),
});

const metadataSchema = Type.Object(
  {
    surface: Type.String(),
    layer: Type.String(),
    phase: Type.Integer(),
    revision: Type.Integer(),
    gate: Type.Optional(
      Type.String({ description: "Where the unit gets no arm: the first gate that said no." }),
    ),
    detail: Type.String({ description: "One sentence for people: why." }),
    unit: Type.Optional(Type.String({ description: "What was hashed; absent where the context has none." })),
    layerBucket: Type.Optional(Type.Number({ description: "The unit's place in the layer, in [0, 1)." })),
    armBucket: Type.Optional(Type.Number({ description: "The unit's place among the arms, in [0, 1)." })),
  },
  { description: "What OpenFeature shows as flagMetadata." },
);

export const flagSchema = Type.Object({
  key: Type.String({ description: "The experiment's id." }),
  reason: Type.Enum(["SPLIT", "TARGETING_MATCH", "DEFAULT", "DISABLED"], {
    description:
      "SPLIT: chance gave the arm. TARGETING_MATCH: an override forces it, and it is never analysed. DEFAULT: the " +
      "unit is not in the experiment. DISABLED: the experiment does not run, or is killed.",
  }),
  variant: Type.Optional(Type.String({ description: "The arm's id." })),
  value: Type.Optional(
    Type.String({ description: "The arm's id; absent where the application's own default holds." }),
  ),
  metadata: metadataSchema,
});

export const flagsSchema = Type.Object({ flags: Type.Array(flagSchema) });

const errorCode = Type.Enum([
  "PARSE_ERROR",
  "TARGETING_KEY_MISSING",
  "INVALID_CONTEXT",
  "FLAG_NOT_FOUND",
  "GENERAL",
]);

const failureSchema = Type.Object({
  key: Type.Optional(Type.String({ description: "Where one flag was asked for." })),
  errorCode,
  errorDetails: Type.String({ description: "Names the field, what was expected and what you can do." }),
});

/** The error answers of an evaluation, for its `response` schema. */
export function failures(...statuses: readonly (keyof typeof meanings)[]): Record<number, TSchema | object> {
  return Object.fromEntries(
    statuses.map((status) => [
      status,
      { description: meanings[status], content: { "application/json": { schema: failureSchema } } },
    ]),
  );
}

const meanings = {
  400: "PARSE_ERROR, TARGETING_KEY_MISSING or INVALID_CONTEXT",
  404: "FLAG_NOT_FOUND",
  413: "GENERAL: the body is too large",
  415: "PARSE_ERROR: the body is not JSON in UTF-8, uncompressed",
  429: "GENERAL: come back after Retry-After, and use the application's defaults until then",
  500: "GENERAL: an internal error",
} as const;

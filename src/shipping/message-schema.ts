import Type from "typebox";
import type { LogRecord } from "../domain/ports.ts";
import { compileSchema, describeSchemaError } from "../schema/schema.ts";

const text = Type.String();
const number = Type.Number();
/** What a date may be, and a row's timestamp can hold. */
const time = Type.Number({ minimum: -8.64e15, maximum: 8.64e15 });
const count = Type.Integer({ minimum: 0, maximum: 2 ** 31 - 1 });
const version = Type.Object({ name: text, version: text });
const items = Type.Array(
  Type.Object({ id: text, position: count, score: number, tasks: Type.Record(Type.String(), number) }),
);
const anything = Type.Object({});

/** What a row of the warehouse is made of; a later Setlist may have added to it. */
const schemas = {
  impression: Type.Object({
    kind: Type.Literal("impression"),
    requestId: text,
    at: time,
    surface: text,
    userId: text,
    assignments: Type.Array(
      Type.Object({
        experiment: text,
        arm: text,
        layer: text,
        phase: count,
        unit: text,
        propensity: number,
        overridden: Type.Boolean(),
      }),
    ),
    model: Type.Optional(version),
    degraded: Type.Array(text),
    timings: Type.Object({
      assign: number,
      features: number,
      queue: number,
      inference: number,
      rank: number,
    }),
    candidateCount: count,
    items,
    sent: Type.Optional(
      Type.Object({
        user: Type.Optional(anything),
        context: Type.Optional(anything),
        items: Type.Optional(Type.Array(Type.Union([anything, Type.Null()]))),
      }),
    ),
    attributes: Type.Optional(
      Type.Object({ user: Type.Optional(anything), context: Type.Optional(anything) }),
    ),
    beyondLimit: Type.Optional(items),
    served: Type.Optional(
      Type.Array(
        Type.Object({
          model: version,
          rows: count,
          features: Type.Array(
            Type.Object({
              name: text,
              entity: text,
              input: text,
              encoding: text,
              width: count,
              numbers: Type.Optional(Type.Array(number)),
              indices: Type.Optional(Type.Array(Type.Integer())),
            }),
          ),
        }),
      ),
    ),
    interleaving: Type.Optional(
      Type.Object({
        id: text,
        arms: Type.Array(Type.Object({ arm: text, model: version }), { minItems: 2, maxItems: 2 }),
        slots: Type.Array(Type.Object({ team: Type.Optional(text), competitive: Type.Boolean() })),
      }),
    ),
  }),
  outcome: Type.Object({
    kind: Type.Literal("outcome"),
    outcomeId: text,
    requestId: text,
    itemId: text,
    type: text,
    value: number,
    occurredAt: time,
    receivedAt: time,
  }),
  shadow: Type.Object({
    kind: Type.Literal("shadow"),
    requestId: text,
    at: time,
    surface: text,
    model: version,
    shadow: version,
    candidateCount: count,
    tau: Type.Optional(number),
    topK: count,
    overlap: number,
    scoreDifference: number,
  }),
  counterfactual: Type.Object({
    kind: Type.Literal("counterfactual"),
    requestId: text,
    at: time,
    surface: text,
    experiment: text,
    phase: count,
    arm: text,
    model: version,
    other: text,
    otherModel: version,
    propensity: number,
    candidateCount: count,
    topK: count,
    overlap: number,
    agreeing: count,
    otherIds: Type.Array(text),
  }),
} satisfies Record<LogRecord["kind"], object>;

const validators = new Map(
  Object.entries(schemas).map(([kind, schema]) => [kind, compileSchema(schema)] as const),
);

/** Undefined where the value is a record, else what is wrong with it. */
export function checkShippedRecord(value: unknown): string | undefined {
  const kind = (value as { kind?: unknown } | null)?.kind;
  const validate = validators.get(String(kind));
  if (validate === undefined) return "its value is no record of ours";
  return validate(value) ? undefined : describeSchemaError(validate.errors ?? [], "value");
}

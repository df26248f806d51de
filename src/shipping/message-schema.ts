import Type from "typebox";
import type { Impression } from "../domain/impression.ts";
import type { LogRecord } from "../domain/outcome-log.ts";
import { compileSchema, describeSchemaError } from "../schema/schema.ts";

const text = Type.String();
const number = Type.Number();
const count = Type.Integer({ minimum: 0, maximum: 2 ** 31 - 1 });
const version = Type.Object({ name: text, version: text });
const items = Type.Array(
  Type.Object({ id: text, position: count, score: number, tasks: Type.Record(Type.String(), number) }),
);
/** Ms since 1970, as far as clocks of ours go; a table's timestamps do not go much further. */
const instant = Type.Number({ minimum: -8.64e15, maximum: 8.64e15 });
/** No deeper than ours: rows of it are made text again, which takes a stack as deep. JSON has null for what is no number. */
const value = Type.Union([text, number, Type.Boolean(), Type.Null()]);
const entries = Type.Record(Type.String(), Type.Union([value, Type.Array(value)]));

/** What a row of the warehouse is made of; a later Setlist may have added to it. */
const schemas = {
  impression: Type.Object({
    kind: Type.Literal("impression"),
    requestId: text,
    at: instant,
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
        user: Type.Optional(entries),
        context: Type.Optional(entries),
        items: Type.Optional(Type.Array(Type.Union([entries, Type.Null()]))),
      }),
    ),
    attributes: Type.Optional(Type.Object({ user: Type.Optional(entries), context: Type.Optional(entries) })),
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
    occurredAt: instant,
    receivedAt: instant,
  }),
  shadow: Type.Object({
    kind: Type.Literal("shadow"),
    requestId: text,
    at: instant,
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
    at: instant,
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
  const validate = typeof kind === "string" ? validators.get(kind) : undefined;
  if (validate === undefined) return "its value is no record of ours";
  if (!validate(value)) return describeSchemaError(validate.errors ?? [], "value");
  return kind === "impression" ? checkTasks((value as Pick<Impression, "items">).items) : undefined;
}

/** A row has a score for each item and each task of any of them: of a server's records most of those are there. */
const scoresPerEntryMax = 64;

function checkTasks(items: Impression["items"]): string | undefined {
  const tasks = new Set<string>();
  let entries = items.length;
  for (const item of items) {
    for (const task of Object.keys(item.tasks)) {
      tasks.add(task);
      entries += 1;
    }
  }
  if (tasks.size * items.length <= scoresPerEntryMax * entries) return undefined;
  return `items: ${tasks.size} tasks, of which nearly every item has others`;
}

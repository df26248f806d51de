import Type from "typebox";
import { invalidArgument } from "../domain/error.ts";
import type { ValueModelOverride } from "../domain/model.ts";
import { nearest } from "./schema.ts";

const closed = { additionalProperties: false };

/** Each step sorts the candidates once more. */
const diversityStepsMax = 4;
/** At a power of 100 a probability of a half is 1e-30: what is higher tells nothing apart. */
const powerMax = 100;

const kind = Type.Union([Type.Literal("weighted-sum"), Type.Literal("weighted-product")]);
const weights = Type.Record(Type.String(), Type.Number(), { minProperties: 1 });
const share = Type.Number({ minimum: 0, maximum: 1 });
const rest = {
  powers: Type.Optional(
    Type.Record(Type.String(), Type.Number({ exclusiveMinimum: 0, maximum: powerMax }), { minProperties: 1 }),
  ),
  diversity: Type.Optional(
    Type.Array(
      Type.Object(
        { by: Type.String({ minLength: 1, maxLength: 128 }), decay: share, floor: Type.Optional(share) },
        closed,
      ),
      { maxItems: diversityStepsMax },
    ),
  ),
};

/** A whole value model, as a manifest has one; `checkValueModel` says what a schema cannot. */
export const valueModelSchema = Type.Object({ kind, weights, ...rest }, closed);

/** What a surface or an arm may say over it. */
export const valueModelOverrideSchema = Type.Object(
  { kind: Type.Optional(kind), weights: Type.Optional(weights), ...rest },
  closed,
);

/**
 * What two overrides say together, half by half, the first before the second: kind, weights and powers are one half,
 * diversity is the other.
 */
export function valueModelOver(
  first: ValueModelOverride | undefined,
  second: ValueModelOverride | undefined,
): ValueModelOverride | undefined {
  if (first === undefined || second === undefined) return first ?? second;
  const { diversity, ...fusion } = second;
  return {
    ...(first.weights === undefined ? fusion : {}),
    ...(first.diversity === undefined && diversity !== undefined ? { diversity } : {}),
    ...first,
  };
}

/**
 * How the fields of a value model, or of what overrides one, have to fit together.
 * @param field where it stands, such as `arms[1].valueModel`.
 * @throws {SetlistError} INVALID_ARGUMENT: field, expected and found.
 */
export function checkValueModel(valueModel: ValueModelOverride, field: string): void {
  const { kind, weights, powers, diversity = [] } = valueModel;
  if (Object.keys(valueModel).length === 0) {
    throw invalidArgument(`${field}: expected kind and weights, diversity, or both, got {}`);
  }
  if (kind !== undefined && weights === undefined) {
    throw invalidArgument(`${field}.weights: expected, since kind is ${kind}, but missing`);
  }
  if (kind === undefined && (weights ?? powers) !== undefined) {
    const given = weights === undefined ? "powers are" : "weights are";
    throw invalidArgument(`${field}.kind: expected, since ${given} given, but missing`);
  }
  if (powers !== undefined && kind === "weighted-product") {
    throw invalidArgument(
      `${field}.powers: expected none for a weighted-product, whose weights are the powers, got ${JSON.stringify(powers)}`,
    );
  }
  const weighed = Object.keys(weights ?? {});
  for (const task of Object.keys(powers ?? {})) {
    if (weighed.includes(task)) continue;
    throw invalidArgument(
      `${field}.powers.${task}: expected a task that has a weight${nearest(task, weighed)}`,
    );
  }
  for (const [index, { by }] of diversity.entries()) {
    if (diversity.findIndex((step) => step.by === by) === index) continue;
    throw invalidArgument(
      `${field}.diversity[${index}].by: expected one step a feature, got a second one by ${JSON.stringify(by)}`,
    );
  }
}

/**
 * Holds the weights against the tasks that there are.
 * @param whose names the tasks in the message, such as `home-kd/1`; not needed where the file says it.
 * @throws {SetlistError} INVALID_ARGUMENT naming the first weight of an unknown task, and the nearest task.
 */
export function checkWeighedTasks(
  { weights }: ValueModelOverride,
  field: string,
  tasks: readonly string[],
  whose?: string,
): void {
  for (const task of Object.keys(weights ?? {})) {
    if (tasks.includes(task)) continue;
    const of = whose === undefined ? "" : ` of ${whose}`;
    throw invalidArgument(`${field}.weights.${task}: expected a task${of}${nearest(task, tasks)}`);
  }
}

/**
 * Holds the diversity steps against the features of items that anyone could know.
 * @throws {SetlistError} INVALID_ARGUMENT naming the first step by an unknown feature, and the nearest one.
 */
export function checkDiversity(
  { diversity = [] }: ValueModelOverride,
  field: string,
  itemFeatures: readonly string[],
): void {
  for (const [index, { by }] of diversity.entries()) {
    if (itemFeatures.includes(by)) continue;
    throw invalidArgument(
      `${field}.diversity[${index}].by: no item feature ${JSON.stringify(by)}${nearest(by, itemFeatures)}`,
    );
  }
}

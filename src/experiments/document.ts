import Type from "typebox";
import { invalidArgument } from "../domain/error.ts";
import type { ExperimentDocument, Unit } from "../domain/experiment.ts";
import { parserOf } from "../schema/schema.ts";
import { checkTexts } from "../schema/text.ts";
import { valueModelOverrideSchema } from "../schema/value-model.ts";
import { durationSchema } from "./duration.ts";
import { completeGuardrail, guardrailSchema } from "./guardrail-document.ts";
import { completeMetric, metricSchema } from "./metric-document.ts";
import { planSchema } from "./plan-document.ts";
import { stratifySchema } from "./stratify-document.ts";

/** Bounds on one document: far above what people write, low enough that none can stall a server. */
const armsMax = 100;
const metricsMax = 100;
const overridesMax = 10_000;
const prerequisitesMax = 20;
const targetingCharactersMax = 4_096;
const descriptionCharactersMax = 4_096;
/** A record of the log names each of them. */
const counterfactualTopKMax = 100;

/** Of any currency; a sum of so many still has its cents. */
const costMax = 1e12;

const rampStepsMax = 50;
const guardrailsMax = 50;

const defaultCounterfactualTopK = 10;

/** Ids go into addresses, file names and metric labels. */
const id = Type.String({
  pattern: "^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$",
  description: "1 to 64 of A-Z a-z 0-9 . _ -, beginning with a letter or digit",
});

const closed = { additionalProperties: false };

const arm = Type.Object(
  {
    id,
    control: Type.Optional(Type.Boolean()),
    weight: Type.Optional(Type.Number({ minimum: 0 })),
    model: Type.Object(
      {
        name: Type.String({ minLength: 1, maxLength: 64 }),
        version: Type.Optional(
          Type.String({ pattern: "^[1-9][0-9]{0,8}$", description: "a whole number from 1, as a text" }),
        ),
        label: Type.Optional(id),
      },
      closed,
    ),
    valueModel: Type.Optional(valueModelOverrideSchema),
    cost: Type.Optional(Type.Number({ minimum: 0, maximum: costMax })),
  },
  closed,
);

const rampStep = Type.Object(
  { traffic: Type.Number({ minimum: 0, maximum: 1 }), for: Type.Optional(durationSchema) },
  closed,
);

const prerequisite = Type.Object(
  { experiment: id, arms: Type.Array(id, { minItems: 1, maxItems: armsMax }) },
  closed,
);

/** An experiment as a person writes it, in YAML or JSON. */
export const experimentDocumentSchema = Type.Object(
  {
    id,
    kind: Type.Optional(Type.Union([Type.Literal("ab"), Type.Literal("interleave")])),
    description: Type.Optional(Type.String({ maxLength: descriptionCharactersMax })),
    surface: Type.String({ minLength: 1, maxLength: 64 }),
    layer: id,
    unit: Type.Optional(Type.String({ maxLength: 256 })),
    salt: Type.Optional(Type.String({ minLength: 1, maxLength: 256 })),
    traffic: Type.Optional(Type.Number({ minimum: 0, maximum: 1 })),
    status: Type.Optional(
      Type.Union([
        Type.Literal("draft"),
        Type.Literal("running"),
        Type.Literal("paused"),
        Type.Literal("stopped"),
      ]),
    ),
    arms: Type.Array(arm, { minItems: 1, maxItems: armsMax }),
    targeting: Type.Optional(Type.String({ minLength: 1, maxLength: targetingCharactersMax })),
    prerequisites: Type.Optional(Type.Array(prerequisite, { maxItems: prerequisitesMax })),
    sticky: Type.Optional(Type.Boolean()),
    overrides: Type.Optional(Type.Record(Type.String(), Type.String(), { maxProperties: overridesMax })),
    metrics: Type.Optional(Type.Array(metricSchema, { maxItems: metricsMax })),
    plan: Type.Optional(planSchema),
    stratify: Type.Optional(stratifySchema),
    attributionWindow: Type.Optional(durationSchema),
    counterfactual: Type.Optional(
      Type.Object(
        {
          share: Type.Number({ minimum: 0, maximum: 1 }),
          topK: Type.Optional(Type.Integer({ minimum: 1, maximum: counterfactualTopKMax })),
        },
        closed,
      ),
    ),
    ramp: Type.Optional(Type.Array(rampStep, { minItems: 1, maxItems: rampStepsMax })),
    guardrails: Type.Optional(Type.Array(guardrailSchema, { maxItems: guardrailsMax })),
  },
  closed,
);

const parseWritten = parserOf(experimentDocumentSchema);

/**
 * Reads a document and fills in what may be left out: `description` "", `unit` user, `salt` the id, `traffic` 1,
 * `status` draft, an arm's `weight` 1 and `control` false, `overrides` and `metrics` none, a metric's `aggregate` by
 * its type (mean, ratio and a ratio's denominator: count, proportion: any, quantile: quantile), `goal` increase and `role` secondary, a counterfactual's `topK` 10. With a
 * ramp `traffic` is that of its first step. A guardrail's `id` is its kind, or its metric's id, `action` hold, `alpha`
 * 0.01, `minimum` 100 and `window` 1h. The
 * kind `ab` becomes none: what was stored before there were kinds has none, and says the same.
 * @param what names the document in messages about the whole of it.
 * @throws {SetlistError} INVALID_ARGUMENT with the field and what was expected. What it means together (weights,
 *   models, layers) is for `validateExperiment`.
 */
export function parseExperimentDocument(value: unknown, what: string): ExperimentDocument {
  if (value === null || typeof value !== "object" || Array.isArray(value)) {
    throw invalidArgument(`${what}: expected an experiment's fields`);
  }
  const written = parseWritten(value, what);
  checkTexts(written);
  return {
    id: written.id,
    ...(written.kind === "interleave" ? { kind: written.kind } : {}),
    description: written.description ?? "",
    surface: written.surface,
    layer: written.layer,
    unit: parseUnit(written.unit ?? "user", "unit"),
    salt: written.salt ?? written.id,
    traffic: written.traffic ?? written.ramp?.[0]?.traffic ?? 1,
    status: written.status ?? "draft",
    arms: written.arms.map((one) => ({
      id: one.id,
      control: one.control ?? false,
      weight: one.weight ?? 1,
      model: one.model,
      ...(one.valueModel === undefined ? {} : { valueModel: one.valueModel }),
      ...(one.cost === undefined ? {} : { cost: one.cost }),
    })),
    ...(written.targeting === undefined ? {} : { targeting: written.targeting }),
    ...(written.prerequisites?.length ? { prerequisites: written.prerequisites } : {}),
    ...(written.sticky === true ? { sticky: true } : {}),
    overrides: written.overrides ?? {},
    metrics: (written.metrics ?? []).map(completeMetric),
    ...(written.plan === undefined ? {} : { plan: written.plan }),
    ...(written.stratify?.length ? { stratify: written.stratify } : {}),
    ...(written.attributionWindow === undefined ? {} : { attributionWindow: written.attributionWindow }),
    ...(written.counterfactual === undefined
      ? {}
      : { counterfactual: { topK: defaultCounterfactualTopK, ...written.counterfactual } }),
    ...(written.ramp === undefined ? {} : { ramp: written.ramp }),
    ...(written.guardrails?.length
      ? { guardrails: written.guardrails.map((one, index) => completeGuardrail(one, index)) }
      : {}),
  };
}

/** @throws {SetlistError} INVALID_ARGUMENT where `text` is no kind of unit. */
export function parseUnit(text: string, field: string): Unit {
  if (text === "user" || text === "session" || text === "request") return text;
  if (/^(user|context)\../s.test(text)) return text as Unit;
  throw invalidArgument(
    `${field}: expected user, session, request or an attribute such as user.household, got ${JSON.stringify(text)}`,
  );
}

import Type, { type Static } from "typebox";
import { invalidArgument } from "../domain/error.ts";
import type { ExperimentDocument, Metric } from "../domain/experiment.ts";
import type { Guardrail } from "../domain/guardrail.ts";
import type { ModelRef } from "../domain/model.ts";
import { nearest } from "../schema/schema.ts";
import { durationSchema } from "./duration.ts";

const id = Type.String({ pattern: "^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$" });

/** What each kind takes of these is checked by hand: a union of schemas could not say which field is wrong. */
export const guardrailSchema = Type.Object(
  {
    id: Type.Optional(id),
    kind: Type.Union([
      Type.Literal("latency-p99"),
      Type.Literal("error-rate"),
      Type.Literal("fallback-rate"),
      Type.Literal("srm"),
      Type.Literal("metric"),
    ]),
    action: Type.Optional(Type.Union([Type.Literal("hold"), Type.Literal("rollback")])),
    alpha: Type.Optional(Type.Number({ minimum: 1e-6, maximum: 0.5 })),
    minimum: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000_000_000 })),
    owner: Type.Optional(Type.String({ minLength: 1, maxLength: 256 })),
    maxMs: Type.Optional(Type.Number({ exclusiveMinimum: 0, maximum: 60_000 })),
    max: Type.Optional(Type.Number({ minimum: 0, exclusiveMaximum: 1 })),
    margin: Type.Optional(Type.Number({ minimum: 0, maximum: 1_000 })),
    window: Type.Optional(durationSchema),
    metric: Type.Optional(id),
  },
  { additionalProperties: false },
);

type Written = Static<typeof guardrailSchema>;
type Field = "maxMs" | "max" | "margin" | "window" | "metric";

/** Besides those that all have. */
const fieldsOf: Readonly<Record<Written["kind"], readonly Field[]>> = {
  "latency-p99": ["maxMs", "margin", "window"],
  "error-rate": ["max", "margin", "window"],
  "fallback-rate": ["max", "margin", "window"],
  srm: [],
  metric: ["metric", "margin"],
};
const fields: readonly Field[] = ["maxMs", "max", "margin", "window", "metric"];

const defaults = { action: "hold", alpha: 0.01, minimum: 100 } as const;
const defaultWindow = "1h";

/** @throws {SetlistError} INVALID_ARGUMENT with the field that the kind does not take, or lacks. */
export function completeGuardrail(written: Written, index: number): Guardrail {
  const { kind, maxMs, max, margin, window = defaultWindow, metric, owner } = written;
  const place = `guardrails[${index}]`;
  const stray = fields.find((field) => written[field] !== undefined && !fieldsOf[kind].includes(field));
  if (stray !== undefined) {
    const known = [...fieldsOf[kind], "id", "action", "alpha", "minimum", "owner"];
    throw invalidArgument(
      `${place}.${stray}: expected none of kind ${kind}, which takes ${known.join(", ")}`,
    );
  }
  const commons = {
    id: written.id ?? (kind === "metric" ? (metric ?? kind) : kind),
    action: written.action ?? defaults.action,
    alpha: written.alpha ?? defaults.alpha,
    minimum: written.minimum ?? defaults.minimum,
    ...(owner !== undefined && { owner }),
  };
  switch (kind) {
    case "latency-p99":
      checkOneOf(place, "maxMs", maxMs, margin);
      return {
        kind,
        ...commons,
        window,
        ...(maxMs !== undefined && { maxMs }),
        ...(margin !== undefined && { margin }),
      };
    case "error-rate":
    case "fallback-rate":
      checkOneOf(place, "max", max, margin);
      if (margin !== undefined) checkBelowOne(`${place}.margin`, margin, "of requests over control's share");
      return {
        kind,
        ...commons,
        window,
        ...(max !== undefined && { max }),
        ...(margin !== undefined && { margin }),
      };
    case "srm":
      return { kind, ...commons };
    case "metric":
      if (metric === undefined)
        throw invalidArgument(`${place}.metric: expected one of the experiment's metrics`);
      if (margin === undefined)
        throw invalidArgument(
          `${place}.margin: expected how much worse than control's mean an arm may be, such as 0.05`,
        );
      checkBelowOne(`${place}.margin`, margin, "of control's mean");
      return { kind, ...commons, metric, margin };
  }
}

function checkOneOf(place: string, absolute: string, bound?: number, margin?: number): void {
  if ((bound === undefined) !== (margin === undefined)) return;
  const got = bound === undefined ? "neither" : "both";
  throw invalidArgument(
    `${place}: expected ${absolute}, an absolute bound, or margin, how much worse than control an arm may be, got ${got}`,
  );
}

function checkBelowOne(field: string, margin: number, of: string): void {
  if (margin < 1) return;
  throw invalidArgument(`${field}: expected a share below 1 ${of}, got ${margin}`);
}

/**
 * @param defaultModel what serves who is in no experiment; not looked at where undefined.
 * @throws {SetlistError} INVALID_ARGUMENT where guardrails do not fit the experiment.
 */
export function checkGuardrails(document: ExperimentDocument, defaultModel: ModelRef | undefined): void {
  const { guardrails = [], metrics, arms, kind } = document;
  if (guardrails.length === 0) return;
  checkRollback(document, defaultModel);
  if (kind === "interleave") {
    throw invalidArgument(
      "guardrails: expected none with kind interleave: both arms have a part in every answer, so that none is slow, fails or falls back alone",
    );
  }
  const seen = new Set<string>();
  for (const [index, one] of guardrails.entries()) {
    if (seen.has(one.id)) {
      throw invalidArgument(
        `guardrails[${index}].id: another guardrail is called ${JSON.stringify(one.id)}; give one an id`,
      );
    }
    seen.add(one.id);
    if (one.kind === "metric") checkMetric(one.metric, index, metrics);
  }
  const dealt = arms.filter(({ weight }) => weight > 0);
  const compares = guardrails.findIndex(
    (one) => one.kind === "srm" || ("margin" in one && one.margin !== undefined),
  );
  if (compares >= 0 && (dealt.length < 2 || !dealt.some(({ control }) => control))) {
    throw invalidArgument(
      `guardrails[${compares}]: expected a control and another arm with weights above 0, which it compares`,
    );
  }
}

/**
 * A rollback to control serves the surface's default: that has to be what control is. What is stopped is not rolled
 * back, and may have changed the default itself, by being shipped; its next start looks again.
 */
function checkRollback(
  { guardrails = [], arms, surface, status }: ExperimentDocument,
  served: ModelRef | undefined,
): void {
  if (status === "stopped") return;
  const index = guardrails.findIndex(({ action }) => action === "rollback");
  const control = arms.find((arm) => arm.control);
  if (index < 0 || served === undefined || control === undefined || control.model.name === served.name)
    return;
  throw invalidArgument(
    `guardrails[${index}].action: a rollback serves surface ${surface}'s default, ${served.name}, and control is ${control.model.name}: expected hold, or one model for both`,
  );
}

function checkMetric(metric: string, index: number, metrics: readonly Metric[]): void {
  const known = metrics.map((one) => one.id);
  if (known.includes(metric)) return;
  throw invalidArgument(
    `guardrails[${index}].metric: no metric ${JSON.stringify(metric)}${nearest(metric, known)}`,
  );
}

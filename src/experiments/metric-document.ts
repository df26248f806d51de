import Type, { type Static } from "typebox";
import { invalidArgument } from "../domain/error.ts";
import type { ExperimentDocument, Metric, MetricDenominator } from "../domain/experiment.ts";
import type { DeclaredAttributes } from "../domain/feature.ts";
import { nearest } from "../schema/schema.ts";
import { durationMs, durationSchema } from "./duration.ts";
import { parseMetricFilter } from "./metric-filter.ts";

const id = Type.String({
  pattern: "^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$",
  description: "1 to 64 of A-Z a-z 0-9 . _ -, beginning with a letter or digit",
});
const outcome = Type.String({ minLength: 1, maxLength: 64 });
const filter = Type.String({ minLength: 1, maxLength: 4_096 });

/** What each type takes of these is checked by hand: a union of schemas could not say which field is wrong. */
export const metricSchema = Type.Object(
  {
    id,
    type: Type.Union([
      Type.Literal("mean"),
      Type.Literal("proportion"),
      Type.Literal("ratio"),
      Type.Literal("quantile"),
    ]),
    outcome,
    aggregate: Type.Optional(
      Type.Union([
        Type.Literal("count"),
        Type.Literal("sum"),
        Type.Literal("any"),
        Type.Literal("mean"),
        Type.Literal("last"),
        Type.Literal("quantile"),
      ]),
    ),
    goal: Type.Optional(Type.Union([Type.Literal("increase"), Type.Literal("decrease")])),
    role: Type.Optional(
      Type.Union([Type.Literal("primary"), Type.Literal("secondary"), Type.Literal("guardrail")]),
    ),
    filter: Type.Optional(filter),
    denominator: Type.Optional(
      Type.Object(
        {
          outcome: Type.Optional(outcome),
          aggregate: Type.Optional(
            Type.Union([
              Type.Literal("count"),
              Type.Literal("sum"),
              Type.Literal("any"),
              Type.Literal("requests"),
            ]),
          ),
          filter: Type.Optional(filter),
        },
        { additionalProperties: false },
      ),
    ),
    quantile: Type.Optional(Type.Number({ exclusiveMinimum: 0, exclusiveMaximum: 1 })),
    window: Type.Optional(durationSchema),
    winsorise: Type.Optional(Type.Number({ minimum: 0.5, exclusiveMaximum: 1 })),
    minimumEffect: Type.Optional(Type.Number({ exclusiveMinimum: 0, maximum: 1_000 })),
    margin: Type.Optional(Type.Number({ exclusiveMinimum: 0, exclusiveMaximum: 1 })),
    covariate: Type.Optional(
      Type.String({
        pattern: "^(none|[1-9][0-9]{0,5}[smhd]|user\\..{1,256}|context\\..{1,256})$",
        description: "none, a duration such as 14d, or an attribute such as user.tenure",
      }),
    ),
  },
  { additionalProperties: false },
);

type Written = Static<typeof metricSchema>;

/** By type, the first being the default. */
const aggregatesOf: Readonly<Record<Metric["type"], readonly Metric["aggregate"][]>> = {
  mean: ["count", "sum", "mean", "last"],
  proportion: ["any"],
  ratio: ["count", "sum", "any"],
  quantile: ["quantile"],
};

/** Only what was written is there, so that a document from before a field says the same. */
export function completeMetric(written: Written): Metric {
  const { denominator, filter, quantile, window, winsorise, minimumEffect, margin, covariate } = written;
  return {
    id: written.id,
    type: written.type,
    outcome: written.outcome,
    aggregate: written.aggregate ?? (aggregatesOf[written.type][0] as Metric["aggregate"]),
    goal: written.goal ?? "increase",
    role: written.role ?? "secondary",
    ...(filter !== undefined && { filter }),
    ...(denominator !== undefined && {
      denominator: { ...denominator, aggregate: denominator.aggregate ?? "count" },
    }),
    ...(quantile !== undefined && { quantile }),
    ...(window !== undefined && { window }),
    ...(winsorise !== undefined && { winsorise }),
    ...(minimumEffect !== undefined && { minimumEffect }),
    ...(margin !== undefined && { margin }),
    ...(covariate !== undefined && { covariate }),
  };
}

/** @throws {SetlistError} INVALID_ARGUMENT with the first field that does not fit its metric. */
export function checkMetrics(
  { metrics, unit }: ExperimentDocument,
  attributes: DeclaredAttributes | undefined,
): void {
  for (const [index, metric] of metrics.entries()) {
    const place = `metrics[${index}]`;
    checkAggregate(place, metric);
    checkDenominator(place, metric);
    checkOwnFields(place, metric);
    if (metric.filter !== undefined) parseMetricFilter(metric.filter, `${place}.filter`);
    if (metric.covariate !== undefined) checkCovariate(place, metric.covariate, unit, attributes);
  }
}

function checkAggregate(place: string, { type, aggregate }: Metric): void {
  const allowed = aggregatesOf[type];
  if (allowed.includes(aggregate)) return;
  const [last, ...others] = allowed.toReversed();
  const named = others.length === 0 ? last : `${others.toReversed().join(", ")} or ${last}`;
  throw invalidArgument(`${place}.aggregate: expected ${named} for a ${type}, got ${aggregate}`);
}

function checkDenominator(place: string, { type, denominator, window }: Metric): void {
  if (type !== "ratio") {
    if (denominator === undefined) return;
    throw invalidArgument(`${place}.denominator: expected none for a ${type}`);
  }
  if (denominator === undefined) {
    throw invalidArgument(`${place}.denominator: expected what a ratio's numerator is divided by`);
  }
  const { outcome, aggregate, filter } = denominator;
  if (aggregate !== "requests") {
    if (outcome === undefined) {
      throw invalidArgument(
        `${place}.denominator.outcome: expected the outcomes' type, or aggregate requests without one`,
      );
    }
    if (filter !== undefined) parseMetricFilter(filter, `${place}.denominator.filter`);
    return;
  }
  if (outcome !== undefined || filter !== undefined) {
    const stray: keyof MetricDenominator = outcome === undefined ? "filter" : "outcome";
    throw invalidArgument(`${place}.denominator.${stray}: expected none with aggregate requests`);
  }
  if (window !== undefined) {
    throw invalidArgument(
      `${place}.window: expected none over a denominator of requests, which are all of the phase's`,
    );
  }
}

function checkOwnFields(place: string, { type, quantile, winsorise, covariate }: Metric): void {
  if ((type === "quantile") !== (quantile !== undefined)) {
    throw invalidArgument(
      type === "quantile"
        ? `${place}.quantile: expected which one, such as 0.95`
        : `${place}.quantile: expected none for a ${type}`,
    );
  }
  if (winsorise !== undefined && type !== "mean") {
    throw invalidArgument(`${place}.winsorise: expected none for a ${type}, only for a mean`);
  }
  if (covariate !== undefined && covariate !== "none" && type === "quantile") {
    throw invalidArgument(`${place}.covariate: expected none for a quantile, which CUPED does not adjust`);
  }
}

function checkCovariate(
  place: string,
  covariate: string,
  unit: string,
  attributes: DeclaredAttributes | undefined,
): void {
  if (covariate === "none") return;
  const attribute = /^(user|context)\.(.*)$/s.exec(covariate);
  if (attribute === null) {
    if (unit !== "user") {
      throw invalidArgument(
        `${place}.covariate: expected none or an attribute where the unit is ${unit}: only users have a past in the log`,
      );
    }
    if (durationMs(covariate) > pastMaxMs) {
      throw invalidArgument(`${place}.covariate: expected at most 365d, got ${covariate}`);
    }
    return;
  }
  const [, entity, name] = attribute as unknown as [string, "user" | "context", string];
  const known = attributes?.[entity];
  if (known === undefined) return;
  const type = Object.hasOwn(known, name) ? known[name] : undefined;
  if (type === undefined) {
    throw invalidArgument(
      `${place}.covariate: no attribute ${covariate}${nearest(
        covariate,
        Object.keys(known).map((one) => `${entity}.${one}`),
      )}`,
    );
  }
  if (type === "string") {
    throw invalidArgument(`${place}.covariate: expected a number or a bool, and ${covariate} is a string`);
  }
}

const pastMaxMs = 365 * 86_400_000;

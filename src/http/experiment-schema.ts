import Type from "typebox";
import type { ValueModelOverride } from "../domain/model.ts";
import { valueModelOverrideSchema } from "../schema/value-model.ts";

const evidence = Type.Object({
  arm: Type.String(),
  state: Type.Enum(["healthy", "undecided", "breached"]),
  count: Type.Integer({ description: "Requests, or units (srm, metric)." }),
  controlCount: Type.Optional(Type.Integer()),
  estimate: Type.Optional(
    Type.Number({ description: "Latencies in ms, rates and sample ratios as shares." }),
  ),
  control: Type.Optional(Type.Number()),
  bound: Type.Optional(Type.Number()),
  detail: Type.String({ description: "For people, with how sure it is." }),
});

const guardrailKind = Type.Enum(["latency-p99", "error-rate", "fallback-rate", "srm", "metric"]);
const guardrailAction = Type.Enum(["hold", "rollback"]);

const breach = Type.Object(
  {
    guardrail: Type.String(),
    kind: guardrailKind,
    action: guardrailAction,
    alpha: Type.Number(),
    at: Type.String({ description: "Detected; ISO 8601, UTC." }),
    since: Type.String({ description: "From when on it was counted." }),
    evidence,
    thanks: Type.String({ description: "The guardrail's owner, or whoever wrote the experiment last." }),
  },
  { description: "The guardrail that holds the ramp, or for which the experiment was rolled back." },
);

export const modelReferenceSchema = Type.Object({
  name: Type.String(),
  version: Type.Optional(
    Type.String({ description: "Where there is no label either, the highest loaded one." }),
  ),
  label: Type.Optional(Type.String({ description: "In place of a version: the one it stands on." })),
});

/** An experiment as it is shown: the document, and what the store adds to it. */
export const experimentSchema = Type.Object({
  id: Type.String(),
  kind: Type.Optional(
    Type.Literal("interleave", {
      description: "Drafts the lists of its two arms into every answer; absent (ab), each unit has one arm.",
    }),
  ),
  description: Type.String(),
  surface: Type.String(),
  layer: Type.String(),
  unit: Type.String({
    description: "user, session, request or an attribute such as user.household or context.device.",
  }),
  salt: Type.String(),
  traffic: Type.Number({ description: "Share of the layer, in [0, 1]." }),
  status: Type.Enum(["draft", "running", "paused", "stopped"]),
  arms: Type.Array(
    Type.Object({
      id: Type.String(),
      control: Type.Boolean(),
      weight: Type.Number(),
      model: modelReferenceSchema,
      valueModel: Type.Optional(
        Type.Unsafe<ValueModelOverride>({
          ...valueModelOverrideSchema,
          description: "Goes before the surface's value model, and that before the model's own.",
        }),
      ),
      cost: Type.Optional(
        Type.Number({ description: "Of a thousand requests, in a unit of the operator's own." }),
      ),
    }),
  ),
  targeting: Type.Optional(
    Type.String({ description: "CEL over user.* and context.*; absent targets all." }),
  ),
  prerequisites: Type.Optional(
    Type.Array(Type.Object({ experiment: Type.String(), arms: Type.Array(Type.String()) }), {
      description: "Only units in one of these arms of each of these experiments may enter.",
    }),
  ),
  sticky: Type.Optional(Type.Boolean({ description: "A unit keeps the arm that it was shown." })),
  overrides: Type.Record(Type.String(), Type.String(), { description: "Unit id to arm id." }),
  metrics: Type.Array(
    Type.Object({
      id: Type.String(),
      type: Type.Enum(["mean", "proportion", "ratio", "quantile"]),
      outcome: Type.String(),
      aggregate: Type.Enum(["count", "sum", "any", "mean", "last", "quantile"]),
      goal: Type.Enum(["increase", "decrease"]),
      role: Type.Enum(["primary", "secondary", "guardrail"]),
      filter: Type.Optional(Type.String({ description: "CEL over outcome and item; absent counts all." })),
      denominator: Type.Optional(
        Type.Object(
          {
            outcome: Type.Optional(Type.String()),
            aggregate: Type.Enum(["count", "sum", "any", "requests"]),
            filter: Type.Optional(Type.String()),
          },
          { description: "Of a ratio." },
        ),
      ),
      quantile: Type.Optional(Type.Number({ description: "Of a quantile metric: which, in (0, 1)." })),
      window: Type.Optional(
        Type.String({ description: "How long after the unit's first exposure an outcome counts." }),
      ),
      winsorise: Type.Optional(
        Type.Number({ description: "Units above this quantile of all units count as much as it." }),
      ),
      minimumEffect: Type.Optional(
        Type.Number({ description: "The smallest relative difference that would matter." }),
      ),
      margin: Type.Optional(
        Type.Number({ description: "How much worse than control an arm may be, as a share of control." }),
      ),
      covariate: Type.Optional(
        Type.String({
          description:
            "Of CUPED: none, how long before its first exposure a unit's past begins (14d where absent), or an attribute.",
        }),
      ),
    }),
  ),
  plan: Type.Optional(
    Type.Object(
      {
        kind: Type.Enum(["fixed", "always-valid", "group-sequential"]),
        units: Type.Optional(Type.Integer({ description: "Of all arms together." })),
        end: Type.Optional(Type.String({ description: "UTC, ISO 8601." })),
        looks: Type.Optional(Type.Array(Type.Number(), { description: "Shares of the units." })),
        spending: Type.Optional(Type.Enum(["obrien-fleming", "pocock"])),
      },
      { description: "When a result counts; absent, whenever one looks." },
    ),
  ),
  stratify: Type.Optional(
    Type.Array(Type.String(), {
      description: "Attributes into whose levels the analysis post-stratifies, such as user.country.",
    }),
  ),
  attributionWindow: Type.Optional(
    Type.String({
      description:
        "How long after its impression an outcome counts, such as 24h or 7d; absent, whenever it came.",
    }),
  ),
  counterfactual: Type.Optional(
    Type.Object(
      {
        share: Type.Number({ description: "Of the experiment's requests, in [0, 1]." }),
        topK: Type.Integer({ description: "How many of the best." }),
      },
      { description: "For a share of the requests, what the other arms would have shown is logged." },
    ),
  ),
  ramp: Type.Optional(
    Type.Array(Type.Object({ traffic: Type.Number(), for: Type.Optional(Type.String()) }), {
      description: "The server raises the traffic from step to step.",
    }),
  ),
  guardrails: Type.Optional(
    Type.Array(
      Type.Object({
        id: Type.String(),
        kind: guardrailKind,
        action: guardrailAction,
        alpha: Type.Number(),
        minimum: Type.Integer(),
        owner: Type.Optional(Type.String()),
        window: Type.Optional(Type.String()),
        maxMs: Type.Optional(Type.Number()),
        max: Type.Optional(Type.Number()),
        margin: Type.Optional(Type.Number()),
        metric: Type.Optional(Type.String()),
      }),
    ),
  ),
  revision: Type.Integer({ description: "Rises by one with every write." }),
  phase: Type.Integer({ description: "The analysis never mixes phases." }),
  ranges: Type.Array(Type.Object({ from: Type.Number(), to: Type.Number() }), {
    description: "The experiment's part of its layer.",
  }),
  killed: Type.Optional(Type.String({ description: "Why it was killed: it assigns nobody meanwhile." })),
  winner: Type.Optional(Type.String({ description: "The arm that a stopped one was stopped for." })),
  breach: Type.Optional(breach),
});

/** How an experiment's guardrails and ramp are. */
export const healthSchema = Type.Object({
  experiment: Type.String(),
  revision: Type.Integer(),
  phase: Type.Integer(),
  status: Type.Enum(["draft", "running", "paused", "stopped"]),
  killed: Type.Optional(Type.String()),
  state: Type.Enum(["healthy", "undecided", "breached"]),
  checkedAt: Type.Optional(Type.String({ description: "Of the last check; absent before the first." })),
  guardrails: Type.Array(
    Type.Object({
      guardrail: Type.String(),
      kind: guardrailKind,
      action: guardrailAction,
      state: Type.Enum(["healthy", "undecided", "breached"]),
      alpha: Type.Number({ description: "What this window's test of an arm has of the guardrail's." }),
      since: Type.Optional(Type.String()),
      arms: Type.Array(evidence),
      problem: Type.Optional(Type.String({ description: "Why it could not be judged." })),
    }),
  ),
  ramp: Type.Optional(
    Type.Object({
      step: Type.Integer({ description: "From 1." }),
      steps: Type.Integer(),
      traffic: Type.Number(),
      nextTraffic: Type.Optional(Type.Number()),
      passedMs: Type.Integer(),
      totalMs: Type.Optional(Type.Integer()),
      heldBy: Type.Optional(Type.String({ description: "Why it does not go on." })),
    }),
  ),
  breach: Type.Optional(breach),
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

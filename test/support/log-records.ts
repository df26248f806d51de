/** Records of a small log, for tests that need one without a server. */
import type { Assignment } from "../../src/domain/assignment.ts";
import type { CounterfactualRecord } from "../../src/domain/counterfactual.ts";
import type { Experiment, Metric } from "../../src/domain/experiment.ts";
import type { Impression } from "../../src/domain/impression.ts";
import type { Interleaving } from "../../src/domain/interleaving.ts";
import type { Outcome } from "../../src/domain/outcome.ts";
import type { LogRecord } from "../../src/domain/outcome-log.ts";
import type { ShadowComparison } from "../../src/domain/shadow.ts";

const noon = Date.parse("2026-11-22T12:00:00.000Z");

export const completions: Metric = {
  id: "completions",
  type: "mean",
  outcome: "completion",
  aggregate: "count",
  goal: "increase",
  role: "primary",
};

/** Two arms, half and half, one metric, phase 1, running. */
export function experimentOf(changes: Partial<Experiment> = {}): Experiment {
  return {
    id: "home-kd",
    description: "",
    surface: "home",
    layer: "home-ranker",
    unit: "user",
    salt: "home-kd",
    traffic: 1,
    status: "running",
    arms: [
      { id: "control", control: true, weight: 1, model: { name: "home-control" } },
      { id: "kd", control: false, weight: 1, model: { name: "home-kd" } },
    ],
    overrides: {},
    metrics: [completions],
    revision: 1,
    phase: 1,
    ranges: [{ from: 0, to: 1 }],
    ...changes,
  };
}

/** One answered request of `unit` in `arm`, which showed `items`. */
export function impressionOf(
  requestId: string,
  unit: string,
  arm: string,
  items: readonly string[] = ["t1", "t2", "t3"],
  changes: { readonly assignment?: Partial<Assignment>; readonly model?: undefined } = {},
): Impression {
  return {
    kind: "impression",
    requestId,
    at: noon,
    surface: "home",
    userId: unit,
    assignments: [
      {
        experiment: "home-kd",
        arm,
        layer: "home-ranker",
        phase: 1,
        unit,
        propensity: 0.5,
        overridden: false,
        ...changes.assignment,
      },
    ],
    model: "model" in changes ? changes.model : { name: `home-${arm}`, version: "1" },
    degraded: [],
    timings: { assign: 0, features: 0, queue: 0, inference: 0, rank: 0 },
    candidateCount: items.length,
    items: items.map((id, i) => ({ id, position: i + 1, score: 1 / (i + 1), tasks: {} })),
  };
}

/** One that has all that may be logged of a request, behind a limit of 3. */
export function fullImpressionOf(requestId: string, unit: string): Impression {
  return {
    ...impressionOf(requestId, unit, "kd"),
    candidateCount: 6,
    attributes: { user: { country: "DE", premium: true }, context: { hour: 7.5, night: false } },
    beyondLimit: [
      { id: "t4", position: 4, score: 0.25, tasks: { click: 0.25 } },
      { id: "t5", position: 5, score: 0.125, tasks: { click: 0.125 } },
    ],
    served: [
      {
        model: { name: "home-kd", version: "1" },
        rows: 5,
        features: [
          {
            name: "taste",
            entity: "user",
            input: "user_numbers",
            encoding: "number",
            width: 2,
            values: Float32Array.of(0.5, Math.fround(0.1)),
          },
          {
            name: "artist",
            entity: "item",
            input: "item_indices",
            encoding: "hash:2048",
            width: 1,
            values: Int32Array.of(1, 2_047, 0, 3, 1),
          },
        ],
      },
    ],
  };
}

export function outcomeOf(
  outcomeId: string,
  requestId: string,
  itemId: string,
  type = "completion",
  value = 1,
): Outcome {
  return {
    kind: "outcome",
    outcomeId,
    requestId,
    itemId,
    type,
    value,
    occurredAt: noon + 1_000,
    receivedAt: noon + 1_100,
  };
}

/** What a shadow model made of the request. */
export function shadowOf(requestId: string, changes: Partial<ShadowComparison> = {}): ShadowComparison {
  return {
    kind: "shadow",
    requestId,
    at: noon + 10,
    surface: "home",
    model: { name: "home-control", version: "1" },
    shadow: { name: "home-kd", version: "2" },
    candidateCount: 3,
    tau: 0.5,
    topK: 10,
    overlap: 1,
    scoreDifference: 0.125,
    ...changes,
  };
}

/** What the other arm would have shown for a request that the control served. */
export function counterfactualOf(
  requestId: string,
  changes: Partial<CounterfactualRecord> = {},
): CounterfactualRecord {
  return {
    kind: "counterfactual",
    requestId,
    at: noon + 20,
    surface: "home",
    experiment: "home-kd",
    phase: 1,
    arm: "control",
    model: { name: "home-control", version: "1" },
    other: "kd",
    otherModel: { name: "home-kd", version: "2" },
    propensity: 0.25,
    candidateCount: 3,
    topK: 2,
    overlap: 0.5,
    agreeing: 1,
    otherIds: ["t1", "t3"],
    ...changes,
  };
}

/** How three items were drafted of two arms' lists, the last one behind what a model had scored. */
export function interleavingOf(id: string): Interleaving {
  return {
    id,
    arms: [
      { arm: "control", model: { name: "home-control", version: "1" } },
      { arm: "kd", model: { name: "home-kd", version: "2" } },
    ],
    slots: [
      { team: "kd", competitive: true },
      { team: "control", competitive: false },
      { team: undefined, competitive: false },
    ],
  };
}

/** The records as a log's reader gives them. */
export async function* streamed(records: Iterable<LogRecord>): AsyncGenerator<LogRecord> {
  for (const record of records) yield record;
}

import type { Impression } from "../src/domain/impression.ts";
import type { Outcome } from "../src/domain/outcome.ts";

/** Of what size the records of a log benchmark are. */
export interface RecordShape {
  /** Ranked items of an impression. */
  readonly items: number;
  /** Numbers that the request sent with its context, and with each item. */
  readonly sent: number;
}

/** An impression as the demo's surface has them: one experiment, three tasks an item, ids of uuids. */
export function madeImpression(number: number, { items, sent }: RecordShape): Impression {
  const userId = `u${(number * 7_919) % 5_000}`;
  return {
    kind: "impression",
    requestId: uuidOf(number),
    at: 1.8e12 + number,
    surface: "home",
    userId,
    assignments: [
      {
        experiment: "home-kd",
        arm: "kd-aux",
        layer: "home-ranker",
        phase: 1,
        unit: userId,
        propensity: 0.5,
        overridden: false,
      },
    ],
    model: { name: "home-kd-aux", version: "1" },
    degraded: [],
    timings: { assign: 0.02, features: 0.4, queue: 0.1, inference: 1.3, rank: 0.05 },
    candidateCount: 200,
    items: Array.from({ length: items }, (_, i) => ({
      id: `t${(number * 31 + i * 17) % 5_000}`,
      position: i + 1,
      score: 1 / (i + 1.7),
      tasks: { click: Math.fround(0.31 / (i + 1)), completion: Math.fround(0.64), like: Math.fround(0.05) },
    })),
    ...(sent > 0 && { sent: sentOf(number, items, sent) }),
  };
}

function sentOf(number: number, items: number, sent: number): Impression["sent"] {
  const numbers = (of: number): number[] => Array.from({ length: sent }, (_, i) => (of + i) / 7);
  return {
    context: { seed_content: numbers(number) },
    items: Array.from({ length: items }, (_, i) => ({ content: numbers(i) })),
  };
}

/** The outcome of the impression of this number, counted within the first `impressions`. */
export function madeOutcome(number: number, impressions: number): Outcome {
  return {
    kind: "outcome",
    outcomeId: uuidOf(1e9 + number),
    requestId: uuidOf(number % impressions),
    itemId: `t${number % 5_000}`,
    type: "completion",
    value: 1,
    occurredAt: 1.8e12 + number,
    receivedAt: 1.8e12 + number + 100,
  };
}

/** The same outcome as a client sends it. */
export function wireOutcome(number: number, impressions: number): object {
  const { outcomeId, requestId, itemId, type, value, occurredAt } = madeOutcome(number, impressions);
  return { outcomeId, requestId, itemId, type, value, occurredAt: new Date(occurredAt).toISOString() };
}

function uuidOf(number: number): string {
  return `01989f3e-7c00-7000-8000-${number.toString(16).padStart(12, "0")}`;
}

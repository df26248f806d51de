/** Logs of requests over some days, and of what came of each. */
import fc from "fast-check";
import type { LogRecord } from "../../src/domain/outcome-log.ts";
import { counterfactualOf, impressionOf, outcomeOf } from "./log-records.ts";

const noon = Date.parse("2026-11-22T12:00:00.000Z");
const hour = 3_600_000;

/** `hour` after noon; `after` in hours after the request. */
export interface Asked {
  readonly unit: number;
  readonly hour: number;
  readonly country: string;
  readonly seen: "same" | "differing" | "unknown";
  readonly did: readonly { readonly type: string; readonly value: number; readonly after: number }[];
}

export const asked: fc.Arbitrary<Asked> = fc.record({
  unit: fc.integer({ min: 0, max: 19 }),
  hour: fc.integer({ min: 0, max: 120 }),
  country: fc.constantFrom("DE", "FR", ""),
  seen: fc.constantFrom("same", "differing", "unknown"),
  did: fc.array(
    fc.record({
      type: fc.constantFrom("completion", "play"),
      value: fc.integer({ min: -50, max: 700 }).map((n) => n / 7),
      after: fc.integer({ min: 1, max: 60 }),
    }),
    { maxLength: 4 },
  ),
});

export const armOf = (unit: number): "control" | "kd" => (unit % 2 === 0 ? "control" : "kd");

export function recordsOf(requests: readonly Asked[]): LogRecord[] {
  return requests.flatMap(({ unit, hour: at, country, seen, did }, i) => {
    const arm = armOf(unit);
    const other = arm === "kd" ? "control" : "kd";
    const shown = { ...impressionOf(`r${i}`, `u${unit}`, arm), at: noon + at * hour + i };
    const agreeing = seen === "same" ? 3 : 2;
    return [
      country === "" ? shown : { ...shown, attributes: { user: { country } } },
      ...(seen === "unknown"
        ? []
        : [counterfactualOf(`r${i}`, { arm, other, otherIds: ["t1", "t2", "t3"], agreeing })]),
      ...did.map(({ type, value, after }, n) => ({
        ...outcomeOf(`o${i}-${n}`, `r${i}`, "t1", type, value),
        occurredAt: shown.at + after * hour,
      })),
    ];
  });
}

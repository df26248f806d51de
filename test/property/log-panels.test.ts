import fc from "fast-check";
import { expect, test } from "vitest";
import type { Metric } from "../../src/domain/experiment.ts";
import type { LogRecord } from "../../src/domain/outcome-log.ts";
import { crossMomentsOf, momentsOf } from "../../src/statistics/moments.ts";
import {
  alwaysValid,
  difference,
  type Estimate,
  estimateOfMean,
  estimateOfRatio,
  postStratified,
} from "../../src/statistics/statistics.ts";
import { armOf, asked, recordsOf } from "../support/asked-log.ts";
import { completions, experimentOf } from "../support/log-records.ts";
import { analysisOfRecords } from "../support/logged-files.ts";

const noon = Date.parse("2026-11-22T12:00:00.000Z");
const play = { ...completions, outcome: "play", role: "secondary" } as const;
const experiment = experimentOf({
  plan: { kind: "always-valid", units: 400 },
  stratify: ["user.country"],
  metrics: [
    completions,
    { ...play, id: "seconds", aggregate: "sum" },
    { ...play, id: "any", type: "proportion", aggregate: "any" },
    { ...play, id: "mean", aggregate: "mean" },
    { ...play, id: "last", aggregate: "last" },
    { ...play, id: "capped", aggregate: "sum", winsorise: 0.8 },
    { ...play, id: "per-request", type: "ratio", denominator: { aggregate: "requests" } },
  ],
});

interface Seen {
  readonly unit: number;
  /** At the first exposure; "" where it said none. */
  readonly country: unknown;
  readonly requests: readonly number[];
  readonly did: readonly { readonly type: string; readonly value: number; readonly at: number }[];
}

/** Read off the records, whatever made them. */
function unitsIn(records: readonly LogRecord[]): Seen[] {
  const shown = records.filter((one) => one.kind === "impression");
  const did = records.filter((one) => one.kind === "outcome");
  return [...Map.groupBy(shown, ({ userId }) => userId)].map(([user, own]) => {
    const requests = new Set(own.map(({ requestId }) => requestId));
    return {
      unit: Number(user.slice(1)),
      country: own.toSorted((a, b) => a.at - b.at)[0]?.attributes?.user?.["country"] ?? "",
      requests: own.map(({ at }) => at),
      did: did
        .filter(({ requestId }) => requests.has(requestId))
        .map(({ type, value, occurredAt }) => ({ type, value, at: occurredAt })),
    };
  });
}

function foldOf({ outcome, aggregate }: Metric, did: Seen["did"]): number {
  const own = did.filter(({ type }) => type === outcome);
  const sum = own.reduce((total, { value }) => total + value, 0);
  switch (aggregate) {
    case "sum":
      return sum;
    case "mean":
      return own.length === 0 ? 0 : sum / own.length;
    case "any":
      return Number(own.length > 0);
    case "last":
      return own.toSorted((a, b) => a.at - b.at || a.value - b.value).at(-1)?.value ?? 0;
    default:
      return own.length;
  }
}

/** The least value that no more than a fifth of all units are above. */
function capOf(metric: Metric, units: readonly Seen[]): number {
  if (metric.winsorise === undefined) return Number.POSITIVE_INFINITY;
  const values = units.map(({ did }) => foldOf(metric, did)).toSorted((a, b) => a - b);
  return values[Math.ceil(0.8 * values.length - 1e-9) - 1] as number;
}

const near = (value: number | undefined) => (value === undefined ? null : expect.closeTo(value, 7));
const dateOf = (at: number) => new Date(at).toISOString().slice(0, 10);

test("post-stratification is that of the units by their first exposure's country", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(asked, { minLength: 60, maxLength: 90, size: "max" }), async (requests) => {
      // Ten units of an arm in a stratum are enough to stand alone.
      const records = recordsOf(requests).flatMap((record) =>
        Array.from({ length: 4 }, (_, copy) => copyOf(record, copy)),
      );
      const report = await analysisOfRecords(experiment, records, new Date(noon));
      const units = unitsIn(records);
      for (const [m, metric] of experiment.metrics.entries()) {
        const cap = capOf(metric, units);
        // In the order of their units: of two that are alike in their smaller arm, the first is merged first.
        const sizeOf = (country: string) => units.filter((one) => one.country === country).length;
        const strata = ["", "DE", "FR"].toSorted((a, b) => sizeOf(b) - sizeOf(a));
        const byArm = ["control", "kd"].map((arm) =>
          strata.map((country) =>
            crossMomentsOf(
              units
                .filter((one) => armOf(one.unit) === arm && one.country === country)
                .map(({ did, requests }) => [
                  metric.type === "ratio" ? requests.length : 1,
                  Math.min(foldOf(metric, did), cap),
                ]),
            ),
          ),
        );
        const answer = postStratified(byArm);
        const [control, treated] = answer.ok ? (answer.value.arms as [Estimate, Estimate]) : [];
        const tested = control && treated ? difference(treated, control, 0.05) : undefined;
        const expected =
          answer.ok && tested?.ok
            ? {
                strata: answer.value.strata,
                varianceReduction: near(answer.value.varianceReduction),
                absolute: {
                  estimate: near(tested.value.estimate),
                  ciLow: near(tested.value.ciLow),
                  ciHigh: near(tested.value.ciHigh),
                },
                pValue: near(tested.value.pValue),
              }
            : undefined;
        const found = report.metrics[m]?.comparisons[0]?.postStratified;
        expect(found).toEqual(expected && expect.objectContaining(expected));
      }
    }),
    { numRuns: 5 },
  );
});

/** The same of other units, of whom there are twenty. */
function copyOf(record: LogRecord, copy: number): LogRecord {
  if (record.kind === "impression") {
    const unit = `u${Number(record.userId.slice(1)) + 20 * copy}`;
    const assignments = record.assignments.map((one) => ({ ...one, unit }));
    return { ...record, requestId: `${record.requestId}-${copy}`, userId: unit, assignments };
  }
  if (record.kind === "outcome") {
    const [requestId, outcomeId] = [`${record.requestId}-${copy}`, `${record.outcomeId}-${copy}`];
    return { ...record, requestId, outcomeId, value: record.value + copy };
  }
  return record;
}

test("buckets hold the units whose values they say, all of them, and are the same for both arms", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(asked, { minLength: 30, maxLength: 80, size: "max" }), async (requests) => {
      const records = recordsOf(requests);
      const report = await analysisOfRecords(experiment, records, new Date(noon), { distributions: true });
      const units = unitsIn(records);
      for (const metric of experiment.metrics) {
        const cap = capOf(metric, units);
        const own = report.distributions?.filter((one) => one.metric === metric.id) ?? [];
        expect(own.map(({ arm }) => arm)).toEqual(["control", "kd"]);
        const [control, kd] = own.map(({ buckets }) => buckets.map(({ from, to }) => ({ from, to })));
        expect(kd).toEqual(control);
        for (const { arm, buckets } of own) {
          const values = units
            .filter(({ unit }) => armOf(unit) === arm)
            .map(({ did, requests }) => {
              const value = Math.min(foldOf(metric, did), cap);
              return metric.type === "ratio" ? value / requests.length : value;
            });
          const counts = buckets.map(({ from, to }) =>
            from === 0 && to === 0
              ? values.filter((value) => value === 0).length
              : values.filter(
                  (value) =>
                    value !== 0 && value >= (from ?? -Infinity) - 1e-8 && value < (to ?? Infinity) - 1e-8,
                ).length,
          );
          expect(buckets.map((bucket) => bucket.units)).toEqual(counts);
          expect(counts.reduce((sum, count) => sum + count, 0)).toBe(values.length);
          expect(buckets.length).toBeLessThanOrEqual(25);
          const gaps = buckets
            .slice(1)
            .map(({ from }, i) => (from ?? -Infinity) >= (buckets[i]?.to ?? Infinity));
          expect(gaps.every(Boolean)).toBe(true);
        }
      }
    }),
    { numRuns: 5 },
  );
});

test("the difference by day is that of the records up to each day, unit by unit", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(asked, { minLength: 30, maxLength: 80, size: "max" }), async (requests) => {
      const records = recordsOf(requests);
      const report = await analysisOfRecords(experiment, records, new Date(noon), { overTime: true });
      const units = unitsIn(records);
      const shown = units.flatMap((one) => one.requests);
      const [first, last] = [Math.min(...shown), Math.max(...shown)];
      const length = (Date.parse(dateOf(last)) - Date.parse(dateOf(first))) / 86_400_000 + 1;
      const days = Array.from({ length }, (_, i) => dateOf(first + i * 86_400_000));
      expect(report.overTime?.map(({ metric }) => metric)).toEqual(experiment.metrics.map(({ id }) => id));
      for (const [m, metric] of experiment.metrics.entries()) {
        const cap = capOf(metric, units);
        const points = days.map((day) => {
          const isLast = day === days.at(-1);
          const pair = ["kd", "control"].map((arm) => {
            const rows = units
              .filter(({ unit, requests }) => armOf(unit) === arm && dateOf(Math.min(...requests)) <= day)
              .map((one) => {
                const did = one.did.filter(({ at }) => isLast || dateOf(at) <= day);
                const asked = one.requests.filter((at) => dateOf(at) <= day).length;
                return [asked, Math.min(foldOf(metric, did), cap)] as const;
              });
            const answer =
              metric.type === "ratio"
                ? estimateOfRatio(crossMomentsOf(rows))
                : estimateOfMean(momentsOf(rows.map(([, value]) => value)));
            return { count: rows.length, answer };
          }) as [Arm, Arm];
          const [{ answer: of, count }, { answer: versus, count: others }] = pair;
          const tested = of.ok && versus.ok ? difference(of.value, versus.value, 0.05) : undefined;
          const found = tested?.ok ? tested.value : undefined;
          const always = found && alwaysValid(found, count + others, 0.05, 400);
          return {
            day,
            units: count + others,
            estimate: near(found?.estimate),
            ciLow: near(found?.ciLow),
            ciHigh: near(found?.ciHigh),
            alwaysValidLow: near(always?.ciLow),
            alwaysValidHigh: near(always?.ciHigh),
          };
        });
        expect(report.overTime?.[m]?.points).toEqual(points);
        // The last day is the table's.
        const { absolute } = report.metrics[m]?.comparisons[0] ?? {};
        expect(report.overTime?.[m]?.points.at(-1)?.ciHigh ?? null).toEqual(near(absolute?.ciHigh));
      }
    }),
    { numRuns: 5 },
  );
});

interface Arm {
  readonly count: number;
  readonly answer: ReturnType<typeof estimateOfMean>;
}

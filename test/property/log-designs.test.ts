import fc from "fast-check";
import { expect, test } from "vitest";
import { crossMomentsOf, momentsOf } from "../../src/statistics/moments.ts";
import {
  difference,
  dilutedEffect,
  estimateOfMean,
  estimateOfRatio,
  jointMomentsOf,
  trendWithinUnits,
  unitDenominator,
} from "../../src/statistics/statistics.ts";
import { type Asked, armOf, asked, recordsOf } from "../support/asked-log.ts";
import { completions, experimentOf } from "../support/log-records.ts";
import { analysisOfRecords } from "../support/logged-files.ts";

const noon = Date.parse("2026-11-22T12:00:00.000Z");
const hour = 3_600_000;
const experiment = experimentOf({
  counterfactual: { share: 1, topK: 3 },
  metrics: [
    completions,
    { ...completions, id: "seconds", outcome: "play", aggregate: "sum" },
    { ...completions, id: "any", type: "proportion", aggregate: "any" },
    { ...completions, id: "early-long", outcome: "play", filter: "outcome.value > 20.0", window: "30h" },
    { ...completions, id: "per-request", type: "ratio", denominator: { aggregate: "requests" } },
    {
      ...completions,
      ...{ id: "seconds-per-play", type: "ratio", outcome: "play", aggregate: "sum" },
      ...{ filter: "outcome.value < 90.0", denominator: { outcome: "play", aggregate: "count" } },
    },
  ],
});

interface Did {
  readonly type: string;
  readonly value: number;
  readonly at: number;
}

/** The request's outcomes, with their times. */
function outcomesOf(requests: readonly Asked[], all: readonly Asked[]): Did[] {
  return requests.flatMap((one) =>
    one.did.map(({ type, value, after }) => ({
      type,
      value,
      at: noon + one.hour * hour + all.indexOf(one) + after * hour,
    })),
  );
}

/** Of outcomes, of when the unit was first exposed, and of how many requests; a ratio has what it is over. */
type Fold = (did: readonly Did[], exposed: number, requests: number) => number;
const completed: Fold = (did) => did.filter(({ type }) => type === "completion").length;
const plays = (did: readonly Did[]) => did.filter(({ type }) => type === "play");
const sumOf = (did: readonly Did[]) => did.reduce((sum, { value }) => sum + value, 0);

const folds: readonly { readonly of: Fold; readonly over?: Fold }[] = [
  { of: completed },
  { of: (did) => sumOf(plays(did)) },
  { of: (did) => Number(did.some(({ type }) => type === "completion")) },
  {
    of: (did, exposed) =>
      plays(did).filter(({ value, at }) => value > 20 && at <= exposed + 30 * hour).length,
  },
  { of: completed, over: (_did, _exposed, requests) => requests },
  {
    of: (did) => sumOf(plays(did).filter(({ value }) => value < 90)),
    over: (did) => plays(did).length,
  },
];

/** A unit's denominator, 1 for what is no ratio, and numerator. */
type Pair = readonly [over: number, of: number];

function differenceOf(treated: readonly Pair[], control: readonly Pair[], isRatio: boolean) {
  const estimateOf = (rows: readonly Pair[]) =>
    isRatio
      ? estimateOfRatio(crossMomentsOf(rows))
      : estimateOfMean(momentsOf(rows.map(([, value]) => value)));
  const [t, c] = [estimateOf(treated), estimateOf(control)];
  if (!t.ok || !c.ok) return undefined;
  const tested = difference(t.value, c.value, 0.05);
  return tested.ok ? tested.value : undefined;
}

test("segments, novelty and trigger are what a reader of the records finds, unit by unit", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(asked, { minLength: 60, maxLength: 90, size: "max" }), async (requests) => {
      const designs = { segments: [{ of: "user", name: "country" } as const], novelty: true, trigger: true };
      const report = await analysisOfRecords(experiment, recordsOf(requests), new Date(noon), designs);
      const units = [...Map.groupBy(requests, ({ unit }) => unit)];
      const at = (one: Asked) => noon + one.hour * hour + requests.indexOf(one);
      const firstOf = (own: readonly Asked[]) => own.toSorted((a, b) => at(a) - at(b))[0] as Asked;
      const ofArm = (arm: string) => units.filter(([unit]) => armOf(unit) === arm);

      for (const [m, { of: fold, over }] of folds.entries()) {
        const isRatio = over !== undefined;
        // All that is asked of a part of a unit's requests and outcomes.
        const pairOf = (did: readonly Did[], own: readonly Asked[], asked: number): Pair => {
          const exposed = at(firstOf(own));
          return [over?.(did, exposed, asked) ?? 1, fold(did, exposed, asked)];
        };
        const id = experiment.metrics[m]?.id;
        const near = (value: number | undefined) =>
          value === undefined ? undefined : expect.closeTo(value, 8);
        const segment = report.segments?.find(({ metric }) => metric === id);
        for (const { level, absolute, units: count } of segment?.levels ?? []) {
          const within = (arm: string) =>
            ofArm(arm).filter(([, own]) => firstOf(own).country === (level ?? ""));
          const pairsIn = (arm: string) =>
            within(arm).map(([, own]) => pairOf(outcomesOf(own, requests), own, own.length));
          expect(count).toBe(within("kd").length + within("control").length);
          const expected = differenceOf(pairsIn("kd"), pairsIn("control"), isRatio);
          expect([absolute?.estimate, absolute?.ciLow]).toEqual([
            near(expected?.estimate),
            near(expected?.ciLow),
          ]);
        }

        const end = Math.max(...requests.map(at));
        const spans = units.map(([, own]) => Math.floor((end - at(firstOf(own))) / (24 * hour)));
        const span = spans.toSorted((a, b) => b - a)[Math.ceil(spans.length / 2) - 1] as number;
        const novelty = report.novelty?.find(({ metric }) => metric === id);
        expect(novelty === undefined).toBe(span < 2);
        const days = Array.from({ length: span }, (_, day) => day);
        const rowsOf = (arm: string) =>
          ofArm(arm)
            .filter(([, own]) => Math.floor((end - at(firstOf(own))) / (24 * hour)) >= span)
            .map(([, own]) => {
              const since = at(firstOf(own));
              const dayOf = (when: number) => Math.floor((when - since) / (24 * hour));
              return days.map((day) =>
                pairOf(
                  outcomesOf(own, requests).filter((one) => dayOf(one.at) === day),
                  own,
                  own.filter((one) => dayOf(at(one)) === day).length,
                ),
              );
            });
        for (const one of novelty?.days ?? []) {
          const pairsOn = (arm: string) => rowsOf(arm).map((row) => row[one.day] as Pair);
          const found = differenceOf(pairsOn("kd"), pairsOn("control"), isRatio);
          expect([one.estimate, one.ciLow]).toEqual([near(found?.estimate), near(found?.ciLow)]);
        }
        const [slopeT, slopeC] = ["kd", "control"].map((arm) =>
          trendWithinUnits(
            jointMomentsOf(
              rowsOf(arm).map((row) => row.map(([, value]) => value)),
              span,
            ),
            days,
          ),
        );
        const trend = slopeT?.ok && slopeC?.ok ? difference(slopeT.value, slopeC.value, 0.05) : undefined;
        const slope = novelty?.trend;
        expect(slope?.estimate).toEqual(
          novelty === undefined || isRatio || !trend?.ok ? undefined : near(trend.value.estimate),
        );
        expect(slope?.pValue).toEqual(
          novelty === undefined || isRatio || !trend?.ok ? undefined : near(trend.value.pValue),
        );

        const comparison = report.trigger?.comparisons[0];
        const compared = (own: readonly Asked[]) => own.filter(({ seen }) => seen !== "unknown");
        const differing = (own: readonly Asked[]) => own.filter(({ seen }) => seen === "differing");
        expect(comparison?.requests).toEqual({
          compared: compared(requests).length,
          differing: differing(requests).length,
        });
        const valuesOf = (arm: string, isIn: (own: readonly Asked[]) => boolean, of: typeof compared) =>
          ofArm(arm)
            .filter(([, own]) => compared(own).length > 0 && isIn(own))
            .map(([, own]) => pairOf(outcomesOf(of(own), requests), own, of(own).length));
        const isTriggered = (own: readonly Asked[]) => differing(own).length > 0;
        const triggered = comparison?.metrics[m]?.triggered;
        const expected = differenceOf(
          valuesOf("kd", isTriggered, differing),
          valuesOf("control", isTriggered, differing),
          isRatio,
        );
        expect(triggered?.pValue).toEqual(near(expected?.pValue));
        const overOf = (rows: readonly Pair[]) =>
          isRatio ? crossMomentsOf(rows) : unitDenominator(momentsOf(rows.map(([, value]) => value)));
        const side = (arm: string) => ({
          triggered: overOf(valuesOf(arm, isTriggered, compared)),
          others: overOf(valuesOf(arm, (own) => !isTriggered(own), compared)),
        });
        const diluted = dilutedEffect(side("kd"), side("control"), 0.05);
        const found = comparison?.metrics[m]?.diluted;
        expect([found?.triggerRate, found?.absolute.ciHigh]).toEqual(
          diluted.ok
            ? [near(diluted.value.triggerRate), near(diluted.value.absolute.ciHigh)]
            : [undefined, undefined],
        );
      }
    }),
    { numRuns: 6 },
  );
});

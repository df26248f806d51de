/** What a plan decides on is the data of its look: what comes later changes no verdict, however often one looks. */
import { expect, test } from "vitest";
import type { Experiment } from "../../src/domain/experiment.ts";
import { userRequestId } from "../../src/domain/outcome.ts";
import type { LogRecord } from "../../src/domain/outcome-log.ts";
import { experimentOf, impressionOf, outcomeOf } from "../support/log-records.ts";
import { analysisOfRecords } from "../support/logged-files.ts";

const minute = 60_000;
const day = 1_440 * minute;
const { at: began } = impressionOf("r0", "u0", "control");

/** Of each unit one request, a minute after that of the one before; treated completes so many items more. */
function units(from: number, to: number, effect: number): LogRecord[] {
  return Array.from({ length: to - from }, (_, i) => from + i).flatMap((unit) => {
    const arm = unit % 2 === 0 ? "control" : "kd";
    const at = began + unit * minute;
    const completed = (unit % 3) + 1 + (arm === "kd" ? effect : 0);
    return [
      { ...impressionOf(`r${unit}`, `u${unit}`, arm), at },
      ...Array.from({ length: completed }, (_, n) => ({
        ...outcomeOf(`o${unit}-${n}`, `r${unit}`, `t${(n % 3) + 1}`),
        occurredAt: at + n * minute,
      })),
    ];
  });
}

const analysisOf = (records: readonly LogRecord[], changes: Partial<Experiment>, asOf = began + 20 * day) =>
  analysisOfRecords(experimentOf(changes), records, new Date(asOf));

const looks = { kind: "group-sequential", units: 400, looks: [0.5, 1], spending: "pocock" } as const;

test("between two looks the verdict is that of the first, and it holds no more of alpha", async () => {
  const first = await analysisOf(units(0, 200, 0), { plan: looks });
  const between = await analysisOf([...units(0, 200, 0), ...units(200, 399, 9)], { plan: looks });
  expect(first.verdict?.kind).toBe("open");
  expect(between.verdict).toEqual(first.verdict);
  const [before, now] = [first, between].map(({ metrics }) => metrics[0]?.comparisons[0]);
  expect(now?.sequential).toEqual(before?.sequential);
  expect(now?.adjusted).toEqual(before?.adjusted);
  // The numbers are of all data all the same.
  expect(now?.absolute?.estimate).toBeGreaterThan(4);
  expect(between.warnings.join()).toContain("what came later is in the numbers, and changes no verdict");
});

test("at its last look it goes by all that was planned, and by no unit more", async () => {
  const planned = [...units(0, 200, 0), ...units(200, 400, 9)];
  const last = await analysisOf(planned, { plan: looks });
  expect(last.verdict?.kind).toBe("better");
  expect(last.metrics[0]?.comparisons[0]?.sequential?.look).toBe(2);
  const after = await analysisOf([...planned, ...units(400, 700, -9)], { plan: looks });
  expect(after.verdict).toEqual(last.verdict);
});

test("a look at half of an odd number of units waits for the unit that completes the half", async () => {
  const plan = { ...looks, units: 401 };
  const lookAt = async (count: number) =>
    (await analysisOf(units(0, count, 9), { plan })).metrics[0]?.comparisons[0]?.sequential?.look;
  expect(await lookAt(200)).toBeUndefined();
  expect(await lookAt(201)).toBe(1);
});

test("a plan of one look is not looked at again with more units", async () => {
  const plan = { kind: "fixed", units: 200 } as const;
  const ended = await analysisOf(units(0, 200, 0), { plan });
  expect(ended.verdict?.kind).toBe("open");
  expect((await analysisOf([...units(0, 200, 0), ...units(200, 500, 9)], { plan })).verdict).toEqual(
    ended.verdict,
  );
  const until = { kind: "fixed", end: new Date(began + 199 * minute).toISOString() } as const;
  expect((await analysisOf([...units(0, 200, 0), ...units(200, 500, 9)], { plan: until })).verdict).toEqual(
    ended.verdict,
  );
});

test("a look waits for the outcomes of its units until the attribution window ends", async () => {
  const changes = { plan: { kind: "fixed", units: 200 }, attributionWindow: "2d" } as const;
  const matures = began + 199 * minute + 2 * day;
  const early = await analysisOf(units(0, 200, 2), changes, matures - minute);
  expect(early.verdict).toMatchObject({
    kind: "too-early",
    reasons: [expect.stringContaining("attribution window")],
  });
  expect((await analysisOf(units(0, 200, 2), changes, matures)).verdict?.kind).toBe("better");
});

test("what users do without a list counts as long as the look's last unit is waited for", async () => {
  const plan = { kind: "fixed", units: 200 } as const;
  const did = (at: number) =>
    Array.from({ length: 100 }, (_, i) => ({
      ...outcomeOf(`d${i}`, userRequestId(`u${2 * i + 1}`), "", "completion", 1),
      occurredAt: at + i,
    }));
  const none = await analysisOf(units(0, 200, 0), { plan });
  const later = await analysisOf([...units(0, 200, 0), ...did(began + day)], { plan });
  expect(later.verdict).toEqual(none.verdict);
  const before = await analysisOf([...units(0, 200, 0), ...did(began + 198 * minute)], { plan });
  expect(before.verdict?.kind).toBe("better");
});

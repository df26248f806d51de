/** Splits that are what they should be, and splits that are not. */
import type { Random } from "../../src/domain/clock.ts";
import { sampleRatio, sequentialSampleRatio, uniformity } from "../../src/statistics/statistics.ts";
import { draws, successes } from "./draws.ts";
import type { Scenario } from "./scenario.ts";

const section = "Sample ratio";

/** How many of `units` each arm gets. */
function dealt(random: Random, units: number, shares: readonly number[]): number[] {
  const counts = shares.map(() => 0);
  for (let unit = 0; unit < units; unit++) {
    let left = random.next();
    let arm = 0;
    while (arm < shares.length - 1 && left >= (shares[arm] as number)) {
      left -= shares[arm] as number;
      arm += 1;
    }
    counts[arm] = (counts[arm] as number) + 1;
  }
  return counts;
}

function split(id: string, what: string, shares: readonly number[]): Scenario {
  return {
    id,
    section,
    what,
    runs: 20_000,
    questions: [
      { name: "p below 5 %", bar: { kind: "is", share: 0.05 } },
      { name: "called broken (p below 0.1 %)", bar: { kind: "is", share: 0.001 } },
    ],
    prepare: () => (random) => {
      const { pValue = 1, ok } = sampleRatio(dealt(random, 1_000, shares), shares);
      return [pValue < 0.05, !ok];
    },
  };
}

const looks = 1_000;
const unitsOfLook = 10;

/** The same split looked at after every tenth unit of 10,000. */
function watched(random: Random, share: number): (boolean | undefined)[] {
  let [treated, seen] = [0, 0];
  let [always, strict, daily] = [false, false, false];
  for (let look = 1; look <= looks; look++) {
    treated += successes(random, unitsOfLook, share);
    seen += unitsOfLook;
    const counts = [seen - treated, treated];
    const pValue = sequentialSampleRatio(counts, [1, 1]);
    always ||= pValue < 0.05;
    strict ||= pValue < 0.001;
    // Thirty days.
    if (look % Math.floor(looks / 30) === 0) daily ||= (sampleRatio(counts, [1, 1]).pValue ?? 1) < 0.05;
  }
  return [always, strict, daily];
}

export const health: readonly Scenario[] = [
  split("srm-even", "half and half, 1,000 units", [0.5, 0.5]),
  split("srm-uneven", "90 to 10, 1,000 units", [0.9, 0.1]),
  split("srm-three", "three arms of 2 to 1 to 1, 1,000 units", [0.5, 0.25, 0.25]),
  {
    id: "srm-found",
    section,
    what: "52 to 48 instead of half and half, 20,000 units",
    runs: 1_000,
    questions: [{ name: "called broken", bar: { kind: "at-least", share: 0.95 } }],
    prepare: () => (random) => [!sampleRatio(dealt(random, 20_000, [0.52, 0.48]), [1, 1]).ok],
  },
  {
    id: "srm-watched",
    section: "Sample ratio, looked at after every tenth unit of 10,000",
    what: "half and half, as promised",
    runs: 2_000,
    questions: [
      { name: "sequential, ever below 5 %", bar: { kind: "surely-below", share: 0.05 } },
      { name: "sequential, ever below 0.1 %", bar: { kind: "at-most", share: 0.001 } },
      { name: "chi-square on thirty days, ever below 5 %", bar: { kind: "shown" } },
    ],
    prepare: () => (random) => watched(random, 0.5),
  },
  {
    id: "srm-watched-broken",
    section: "Sample ratio, looked at after every tenth unit of 10,000",
    what: "54 to 46 instead of half and half",
    runs: 500,
    questions: [
      { name: "sequential, ever below 5 %", bar: { kind: "at-least", share: 0.95 } },
      { name: "sequential, ever below 0.1 %", bar: { kind: "at-least", share: 0.95 } },
      { name: "chi-square on thirty days, ever below 5 %", bar: { kind: "shown" } },
    ],
    prepare: () => (random) => watched(random, 0.46),
  },
  {
    id: "uniformity",
    section: "Self-calibration: the uniformity test at 5 %",
    what: "500 p-values",
    runs: 2_000,
    questions: [
      { name: "uniform: called not uniform", bar: { kind: "is", share: 0.05 } },
      {
        name: "of a test that errs in 10 % instead of 5 %: called not uniform",
        bar: { kind: "at-least", share: 0.9 },
      },
    ],
    prepare: () => (random) => {
      const tested = (pValues: number[]): boolean | undefined => {
        const got = uniformity(pValues);
        return got.ok ? got.value.pValue < 0.05 : undefined;
      };
      const uniform = draws(500, () => random.next());
      // p^1.3 is below 5 % where p is below 10 %.
      return [tested(uniform), tested(uniform.map((p) => p ** (Math.log(0.05) / Math.log(0.1))))];
    },
  },
];

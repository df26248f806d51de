/** The same A/A experiment looked at again and again: does any look find something? */
import { mergeMoments, momentsOf, noMoments } from "../../src/statistics/moments.ts";
import {
  alwaysValid,
  estimateOfMean,
  type Spending,
  sequentialBounds,
} from "../../src/statistics/statistics.ts";
import { draws, given, normal } from "./draws.ts";
import type { Bar, Scenario } from "./scenario.ts";

export const cadences = [1, 10, 100, 1_000] as const;

export const methods = ["z test", "always-valid", "O'Brien-Fleming", "Pocock"] as const;

/** Units of an arm at the planned end, and between two looks of a thousand. */
const unitsOfArm = 20_000;
const step = unitsOfArm / 1_000;

const bars: Readonly<Record<(typeof methods)[number], Bar>> = {
  "z test": { kind: "shown" },
  "always-valid": { kind: "surely-below", share: 0.05 },
  "O'Brien-Fleming": { kind: "is", share: 0.05 },
  Pocock: { kind: "is", share: 0.05 },
};

/** As a heading says it. */
export function countOfLooks(looks: number): string {
  return `${looks.toLocaleString("en-US")} look${looks === 1 ? "" : "s"}`;
}

function boundsAt(spending: Spending): readonly (readonly number[])[] {
  return cadences.map((looks) => {
    const fractions = draws(looks, (look) => (look + 1) / looks);
    return given(sequentialBounds({ alpha: 0.05, sides: 2, spending }, fractions)).bounds;
  });
}

/** Of one experiment, the statistic after each thousandth. */
interface Look {
  readonly units: number;
  readonly estimate: number;
  readonly standardError: number;
}

function looksOf(next: () => number): Look[] {
  let [treated, control] = [noMoments, noMoments];
  return draws(1_000, () => {
    treated = mergeMoments(treated, momentsOf(draws(step, next)));
    control = mergeMoments(control, momentsOf(draws(step, next)));
    const [a, b] = [given(estimateOfMean(treated)), given(estimateOfMean(control))];
    return {
      units: a.units + b.units,
      estimate: a.value - b.value,
      standardError: Math.sqrt(a.variance + b.variance),
    };
  });
}

/** Whether the k-th of `looks` equally spaced looks stops, for any k. */
function anyLook(
  all: readonly Look[],
  looks: number,
  stops: (statistic: number, look: number, at: Look) => boolean,
): boolean {
  for (let look = 0; look < looks; look++) {
    const at = all[((look + 1) * 1_000) / looks - 1] as Look;
    if (stops(at.estimate / at.standardError, look, at)) return true;
  }
  return false;
}

export const peekingId = "peeking";

export const peeking: readonly Scenario[] = [
  {
    id: peekingId,
    section: "Peeking: found at any of so many looks, alpha 5 %",
    what: "A/A of Gaussian values, 40,000 units planned, equally spaced looks, N* the planned end",
    runs: 4_000,
    questions: methods.flatMap((method) =>
      cadences.map((looks) => ({ name: `${method}, ${countOfLooks(looks)}`, bar: bars[method] })),
    ),
    prepare: () => {
      const [reserved, even] = [boundsAt("obrien-fleming"), boundsAt("pocock")];
      const crossed = (bounds: readonly (readonly number[])[], cadence: number, all: readonly Look[]) =>
        anyLook(
          all,
          cadences[cadence] as number,
          (z, look) => Math.abs(z) > (bounds[cadence]?.[look] as number),
        );
      return (random) => {
        const all = looksOf(() => normal(random));
        return [
          ...cadences.map((looks) => anyLook(all, looks, (z) => Math.abs(z) > 1.959963984540054)),
          ...cadences.map((looks) =>
            anyLook(all, looks, (statistic, _, { units, ...at }) => {
              return alwaysValid({ ...at, statistic }, units, 0.05, 2 * unitsOfArm).pValue < 0.05;
            }),
          ),
          ...cadences.map((_, cadence) => crossed(reserved, cadence, all)),
          ...cadences.map((_, cadence) => crossed(even, cadence, all)),
        ];
      };
    },
  },
];

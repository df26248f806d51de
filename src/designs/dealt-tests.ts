/** Tests of units that are dealt to arms anew under salts that change nothing. */
import { setImmediate } from "node:timers/promises";
import type { Experiment } from "../domain/experiment.ts";
import type { JointMoments } from "../statistics/statistics.ts";
import { DealtMoments } from "./dealt-moments.ts";
import { calibrationSalt, RerandomisedUnits } from "./rerandomised.ts";

/** What a test says of the arms' moments; undefined where it has no answer. */
export type DealtTest = (arms: readonly JointMoments[]) => DealtResult | undefined;

export interface DealtResult {
  readonly pValue: number;
  /** Whether covariates had a part in it. */
  readonly isAdjusted: boolean;
  /** Whether the plan would call the difference one. */
  readonly isShown: boolean;
}

export interface DealtUnits {
  readonly ids: readonly string[];
  /** Of each unit, in the order of `ids`. */
  readonly columns: readonly Float64Array[];
  /** Of columns whose products the tests read, the first not after the second. */
  readonly pairs: readonly (readonly [number, number])[];
}

/**
 * Each test under each salt: `[tests][salts]`.
 * @param onProgress is told of salts.
 */
export async function testsUnderSalts(
  { ids, columns, pairs }: DealtUnits,
  arms: Experiment["arms"],
  tests: readonly DealtTest[],
  salts: number,
  onProgress?: ((done: number, of: number) => void) | undefined,
): Promise<(DealtResult | undefined)[][]> {
  const units = new RerandomisedUnits(ids);
  const values = new DealtMoments(columns, pairs);
  const places = new Float64Array(units.count);
  const dealt = new Uint8Array(units.count);
  const ends = armEnds(arms);
  const found = tests.map((): (DealtResult | undefined)[] => []);
  for (let n = 0; n < salts; n++) {
    units.places(calibrationSalt(n), places);
    deal(places, ends, dealt);
    const moments = values.byArm(dealt, arms.length);
    for (const [i, test] of tests.entries()) found[i]?.push(test(moments));
    onProgress?.(n + 1, salts);
    // So that the bar is drawn, and Ctrl-C is heard.
    if (n % 10 === 0) await setImmediate();
  }
  return found;
}

/** As `armShares` of the assignment: an arm's part ends at the sum of the weights up to it, divided by that of all. */
function armEnds(arms: Experiment["arms"]): number[] {
  const total = arms.reduce((sum, { weight }) => sum + weight, 0);
  let sum = 0;
  return arms.map(({ weight }) => {
    sum += weight;
    return sum / total;
  });
}

function deal(places: Float64Array, ends: readonly number[], into: Uint8Array): void {
  for (let i = 0; i < places.length; i++) {
    let arm = 0;
    while ((places[i] as number) >= (ends[arm] as number)) arm++;
    into[i] = arm;
  }
}

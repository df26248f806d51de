/** What the analysis folds of interleaved lists in SQL, folded here. */
import { type InterleavingSums, noInterleavingSums } from "../../src/statistics/interleaving.ts";
import { mergeMoments, momentsOf } from "../../src/statistics/moments.ts";

/** All that one unit did. Credit is what it did on items that an arm picked, in competitive slots only. */
export interface UnitCredit {
  readonly first: number;
  readonly second: number;
  /** Slots that it was shown, and those of them in which the arms would have shown different items. */
  readonly slots: number;
  readonly competitive: number;
}

/** In [-1, 1]: all for the second to all for the first. Undefined where the unit gave no credit. */
function preferenceOf({ first, second }: Pick<UnitCredit, "first" | "second">): number | undefined {
  return first + second > 0 ? (first - second) / (first + second) : undefined;
}

export function interleavingSums(units: Iterable<UnitCredit>): InterleavingSums {
  const sums = { ...noInterleavingSums };
  const preferences: number[] = [];
  for (const unit of units) {
    sums.units += 1;
    sums.slots += unit.slots;
    sums.competitive += unit.competitive;
    sums.winsFirst += unit.first > unit.second ? 1 : 0;
    sums.winsSecond += unit.second > unit.first ? 1 : 0;
    const preference = preferenceOf(unit);
    if (preference !== undefined) preferences.push(preference);
  }
  return { ...sums, preference: momentsOf(preferences) };
}

/** Of units that are in only one of the two. */
export function mergeInterleavingSums(a: InterleavingSums, b: InterleavingSums): InterleavingSums {
  return {
    units: a.units + b.units,
    winsFirst: a.winsFirst + b.winsFirst,
    winsSecond: a.winsSecond + b.winsSecond,
    slots: a.slots + b.slots,
    competitive: a.competitive + b.competitive,
    preference: mergeMoments(a.preference, b.preference),
  };
}

import type { Estimate } from "./estimate.ts";
import { difference, type Interval, intervalOf, relativeLift } from "./welch.ts";

export interface Lift {
  readonly absolute: Interval;
  /** Null where control is zero. */
  readonly relative: Interval | null;
  /** Of "no difference". */
  readonly pValue: number;
  readonly standardError: number;
}

/** Two sets of units compared, by `difference` and `relativeLift`; null where nothing varies, or what does is too large. */
export function liftOf(treated: Estimate, control: Estimate, alpha: number): Lift | null {
  const tested = difference(treated, control, alpha);
  if (!tested.ok) return null;
  const relative = relativeLift(treated, control, alpha);
  return {
    absolute: intervalOf(tested.value),
    relative: relative.ok ? relative.value : null,
    pValue: tested.value.pValue,
    standardError: tested.value.standardError,
  };
}

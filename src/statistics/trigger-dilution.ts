/**
 * From the units whom the change could touch back to all traffic. Counterfactual logging says who they are in both arms;
 * the others saw the same either way, so they add noise and no effect, and the test belongs to the triggered alone. What
 * the product gains is the diluted effect: Deng, Hu, "Diluted Treatment Effect Estimation for Trigger Analysis in Online
 * Controlled Experiments", WSDM 2015 (means: section 3, ratios: section 4).
 */
import { criticalT } from "./distributions.ts";
import { type Answer, answer, noAnswer, withoutRounding } from "./estimate.ts";
import { type CrossMoments, mergeCrossMoments } from "./moments.ts";
import type { Interval } from "./welch.ts";

export interface TriggeredArm {
  /** Per-unit sums, as for a ratio: x the denominator. For a mean x is 1 for every unit. */
  readonly triggered: CrossMoments;
  readonly others: CrossMoments;
}

export interface DilutedEffect {
  /** Of all units, those that were triggered. */
  readonly triggerRate: number;
  readonly absolute: Interval & { readonly standardError: number };
  /** Of control's value over all traffic; undefined where that is zero. */
  readonly relative: (Interval & { readonly standardError: number }) | undefined;
}

/** Mean of a variable, its gradient's part of the variance. */
interface Part {
  readonly moments: CrossMoments;
  /** By how much the effect moves with this part's mean of y, and of x. */
  readonly slopeY: number;
  readonly slopeX: number;
}

/**
 * The value over all traffic is `R = Y / X`, `Y = r y(triggered) + (1 - r) y(others)` and X likewise; r and the others'
 * means are pooled over the arms, where the trigger is the same. `R(T) - R(C)` and `R(T) / R(C) - 1`, with the delta
 * method over the independent parts (the triggered of each arm, the others, r). Of a mean this is `r (T - C)` with
 * `Var = r^2 (Var(T) + Var(C)) + (T - C)^2 r (1 - r) / n`. Intervals take Student's t with one degree of freedom less
 * than the smaller triggered arm has units. Whether there is an effect at all, the triggered analysis says.
 */
export function dilutedEffect(
  treated: TriggeredArm,
  control: TriggeredArm,
  alpha: number,
): Answer<DilutedEffect> {
  const [t, c] = [treated.triggered, control.triggered];
  if (t.count === 0 || c.count === 0) return noAnswer("no-units");
  if (t.count === 1 || c.count === 1) return noAnswer("one-unit");
  const others = mergeCrossMoments(treated.others, control.others);
  if (others.count === 1) return noAnswer("one-unit");
  const triggered = t.count + c.count;
  const units = triggered + others.count;
  const rate = triggered / units;
  const over = (arm: CrossMoments) => ({
    x: rate * arm.meanX + (1 - rate) * others.meanX,
    y: rate * arm.meanY + (1 - rate) * others.meanY,
  });
  const [atT, atC] = [over(t), over(c)];
  if (atT.x === 0 || atC.x === 0) return noAnswer("zero-denominator");
  const [valueT, valueC] = [atT.y / atT.x, atC.y / atC.x];

  /** Of `f(R(T), R(C))`, by its slopes in both. */
  const standardError = (slopeT: number, slopeC: number): number => {
    // dR = (dY - R dX) / X
    const [a, b] = [slopeT / atT.x, slopeC / atC.x];
    const rest = { slopeY: (1 - rate) * (a + b), slopeX: -(1 - rate) * (a * valueT + b * valueC) };
    const parts: Part[] = [
      { moments: t, slopeY: rate * a, slopeX: -rate * a * valueT },
      { moments: c, slopeY: rate * b, slopeX: -rate * b * valueC },
      { moments: others, ...rest },
    ];
    const moved = (arm: CrossMoments, value: number) =>
      arm.meanY - others.meanY - value * (arm.meanX - others.meanX);
    const bySlope = a * moved(t, valueT) + b * moved(c, valueC);
    const ofRate = (bySlope * bySlope * rate * (1 - rate)) / units;
    return Math.sqrt(parts.reduce((sum, part) => sum + varianceOf(part), ofRate));
  };

  const critical = criticalT(alpha, Math.min(t.count, c.count) - 1);
  const around = (estimate: number, error: number) => ({
    estimate,
    ciLow: estimate - critical * error,
    ciHigh: estimate + critical * error,
    standardError: error,
  });
  const error = standardError(1, -1);
  if (!Number.isFinite(error) || !Number.isFinite(valueT - valueC)) return noAnswer("infinite");
  if (error === 0) return noAnswer("no-variance");
  const base = Math.abs(valueC);
  const sign = Math.sign(valueC);
  const relativeError = base === 0 ? 0 : standardError(1 / base, (-sign * valueT) / (valueC * valueC));
  const hasRelative = base > 0 && Number.isFinite(relativeError);
  return answer({
    triggerRate: rate,
    absolute: around(valueT - valueC, error),
    relative: hasRelative ? around((valueT - valueC) / base, relativeError) : undefined,
  });
}

function varianceOf({ moments, slopeY, slopeX }: Part): number {
  if (moments.count < 2) return 0;
  const { m2X, m2Y, cXY, count } = moments;
  const [y, x] = [slopeY * slopeY * m2Y, slopeX * slopeX * m2X];
  return withoutRounding(y + 2 * slopeY * slopeX * cXY + x, y + x) / (count - 1) / count;
}

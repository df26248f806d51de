/** Whether the arms' units were alike before, and whether they are enough. */

import { count, counted } from "../domain/number-text.ts";
import {
  covariateBalance,
  healthAlpha,
  holm,
  minimumUnits,
  prePeriodCheck,
  type SkewedMoments,
} from "../statistics/statistics.ts";
import type { HealthFindings } from "./health-findings.ts";
import { fewEvents } from "./rare-shares.ts";
import type { HealthCheck } from "./report-sections.ts";

export function prePeriod({ pasts, arms, control }: HealthFindings): HealthCheck {
  const others = arms.map((_, i) => i).filter((i) => i !== control);
  const checks = prePeriodCheck(
    pasts.flatMap(({ metric, estimates }) =>
      estimates === undefined
        ? []
        : others.map((arm) => ({
            name: `${metric}, ${arms[arm]}`,
            treated: estimates[arm],
            control: estimates[control],
          })),
    ),
  );
  const judged = checks.filter(({ pValueAdjusted }) => pValueAdjusted !== undefined);
  const failed = judged.filter(({ ok }) => !ok);
  return {
    id: "pre-period",
    name: "A/A check before the experiment",
    ok: judged.length === 0 ? null : failed.length === 0,
    pValue: judged.length === 0 ? null : Math.min(...judged.map((one) => one.pValueAdjusted ?? 1)),
    detail:
      failed.length === 0
        ? `${counted(judged.length, "comparison")} of outcomes before the first exposure`
        : `differed before: ${failed.map(({ name }) => name).join("; ")}`,
    likelyCause:
      failed.length === 0
        ? null
        : "the arms were not alike before: an earlier experiment on the same units with the same salt, or a broken assignment",
  };
}

export function balance({ pasts, arms, control }: HealthFindings): HealthCheck {
  const tests = pasts.flatMap(({ metric, covariates }) =>
    arms.flatMap((arm, i) => {
      const [treated, base] = [covariates[i], covariates[control]];
      if (i === control || treated === undefined || base === undefined) return [];
      const test = covariateBalance(treated, base);
      return test.ok ? [{ name: `${metric}, ${arm}`, pValue: test.value.pValue }] : [];
    }),
  );
  const adjusted = holm(tests.map(({ pValue }) => pValue));
  const failed = tests.filter((_, i) => (adjusted[i] as number) < healthAlpha);
  return {
    id: "covariate-balance",
    name: "Covariate balance",
    ok: tests.length === 0 ? null : failed.length === 0,
    pValue: tests.length === 0 ? null : Math.min(...adjusted),
    detail:
      failed.length === 0
        ? `${counted(tests.length, "comparison")} of covariates`
        : `differ: ${failed.map(({ name }) => name).join("; ")}`,
    likelyCause:
      failed.length === 0
        ? null
        : "one arm loses a kind of unit, or the covariate is of a time after the exposure",
  };
}

/** Too few are no fault: there is nothing to be said yet of what decides. */
export function enoughUnits({ skewed, arms }: HealthFindings): HealthCheck {
  const lackingIn = ({ isShare, arms: moments }: (typeof skewed)[number]): string[] =>
    moments.flatMap((one, i) => {
      const lacking = (isShare && fewEventsIn(one)) || tooFewIn(one, isShare);
      return lacking === undefined ? [] : [`${lacking} in ${arms[i]}`];
    });
  const few = skewed
    .filter(({ decides }) => decides)
    .map((one) => ({ metric: one.metric, lacking: lackingIn(one) }))
    .filter(({ lacking }) => lacking.length > 0)
    .map(({ metric, lacking }) => `${metric} has ${lacking.join(", ")}`);
  // By name alone: with their numbers they would bury those that a verdict waits for.
  const fewOfOthers = skewed.filter((one) => !one.decides && lackingIn(one).length > 0);
  const others =
    fewOfOthers.length === 0
      ? ""
      : `; too few also for what does not decide: ${fewOfOthers.map(({ metric }) => metric).join(", ")}`;
  return {
    id: "enough-units",
    name: "Enough units",
    ok: skewed.length === 0 || few.length > 0 ? null : true,
    pValue: null,
    detail: `${few.length === 0 ? "as many as the skewness of each deciding metric asks for" : few.join("; ")}${others}`,
    likelyCause:
      few.length === 0
        ? null
        : "more units are needed before an average of values so skewed is nearly normal",
  };
}

/** A share's score test asks for events, and for no more units than a mean without skewness. */
function tooFewIn(moments: SkewedMoments, isShare: boolean): string | undefined {
  const { units, needed, ok } = minimumUnits(isShare ? { ...moments, m3: 0 } : moments);
  return ok ? undefined : `${count(units)} of ${counted(needed, "unit")}`;
}

function fewEventsIn({ count, mean }: SkewedMoments): string | undefined {
  const events = Math.round(Math.min(mean, 1 - mean) * count);
  return count > 0 && events < fewEvents
    ? `${events} of ${fewEvents} ${mean > 0.5 ? "units without it" : "events"}`
    : undefined;
}

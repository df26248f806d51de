import type { Drafted, DraftingArms, MetricCredit } from "../designs/designs.ts";
import type { Metric } from "../domain/experiment.ts";
import {
  type AlwaysValid,
  type AlwaysValidShare,
  alwaysValidPreference,
  alwaysValidSign,
  alwaysValidTunedUnits,
  competitiveShare,
  holm,
  type Interval,
  intervalOf,
  noInterleavingSums,
  preferenceTest,
  signTest,
} from "../statistics/statistics.ts";

/** Which of two arms units prefer, each having had both in every list. */
export interface InterleavingReport {
  /** The arm that is compared, whose share and preference are given, and the control. */
  readonly arm: string;
  readonly versus: string;
  /** Units that were shown a drafted list. */
  readonly units: number;
  /** Lists that were drafted; pages of one list are one. */
  readonly lists: number;
  /** Answers that one arm alone made, since the other had no list: they say nothing. */
  readonly oneArmImpressions: number;
  /** Places of those lists, and those of them in which the arms would have shown different items. */
  readonly slots: number;
  readonly competitiveSlots: number;
  /** Null where no list was drafted. */
  readonly competitiveShare: number | null;
  readonly metrics: readonly PreferenceReport[];
}

/** By the credit of one metric: the outcomes on items that an arm picked in competitive places. */
export interface PreferenceReport {
  readonly metric: string;
  readonly role: Metric["role"];
  /** Where less is better, the arm with less credit is the better one; the numbers are of the credit all the same. */
  readonly goal: Metric["goal"];
  /** Units that gave `arm` more credit than `versus`, less, and as much but some. */
  readonly wins: number;
  readonly losses: number;
  readonly ties: number;
  /** For one look. `share` is of the units that gave one of them more. */
  readonly sign: { readonly share: number; readonly pValue: number } | null;
  /** Mean over units with credit, in [-1, 1]: 1 where all of it went to `arm`. For one look. */
  readonly preference: (Interval & { readonly pValue: number }) | null;
  /** Holm over the sign tests of the primary metrics; null for the other roles. */
  readonly pValueAdjusted: number | null;
  /** The same at any time. */
  readonly alwaysValid: {
    readonly sign: AlwaysValidShare;
    readonly preference: AlwaysValid | null;
  } | null;
}

/** @param credit of each metric. */
export function interleavingReport(
  metrics: readonly Metric[],
  { first, second }: DraftingArms,
  credit: readonly MetricCredit[],
  { units, lists, slots, competitive, oneArm }: Drafted,
  alpha: number,
): InterleavingReport {
  const preferences = metrics.map((metric, i) => preferenceOf(metric, credit[i] as MetricCredit, alpha));
  const share = competitiveShare({ ...noInterleavingSums, slots, competitive });
  return {
    arm: first.id,
    versus: second.id,
    units,
    lists,
    oneArmImpressions: oneArm,
    slots,
    competitiveSlots: competitive,
    competitiveShare: share.ok ? share.value : null,
    metrics: adjustPrimary(preferences),
  };
}

function preferenceOf(
  { id, role, goal }: Metric,
  { sums, ties }: MetricCredit,
  alpha: number,
): PreferenceReport {
  const [sign, preference] = [signTest(sums), preferenceTest(sums, alpha)];
  const [signAnyTime, preferenceAnyTime] = [
    alwaysValidSign(sums, alpha),
    alwaysValidPreference(sums, alpha, alwaysValidTunedUnits),
  ];
  return {
    metric: id,
    role,
    goal,
    wins: sums.winsFirst,
    losses: sums.winsSecond,
    ties,
    sign: sign.ok ? sign.value : null,
    preference: preference.ok ? { ...intervalOf(preference.value), pValue: preference.value.pValue } : null,
    pValueAdjusted: null,
    alwaysValid: signAnyTime.ok
      ? { sign: signAnyTime.value, preference: preferenceAnyTime.ok ? preferenceAnyTime.value : null }
      : null,
  };
}

function adjustPrimary(metrics: readonly PreferenceReport[]): PreferenceReport[] {
  const family = metrics.filter(({ role, sign }) => role === "primary" && sign !== null);
  const adjusted = holm(family.map(({ sign }) => sign?.pValue ?? 1));
  return metrics.map((metric) => ({
    ...metric,
    pValueAdjusted: adjusted[family.indexOf(metric)] ?? null,
  }));
}

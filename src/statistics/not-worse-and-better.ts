/**
 * A distilled ranker's verdict in one statement: "quality is not worse than the margin, AND latency or cost is better".
 * Either part alone is no reason to ship.
 */
import { type Answer, answer, type Estimate } from "./estimate.ts";
import { type Margin, type NotWorse, notWorse, type OneSided } from "./not-worse.ts";

export interface Compared {
  readonly treated: Estimate;
  readonly control: Estimate;
}

/** What the ranker was distilled for: better by anything at all. */
export interface Gain extends Compared {
  readonly name: string;
  readonly goal: Margin["goal"];
}

export interface TestedGain {
  readonly name: string;
  readonly result: Answer<NotWorse>;
  /** Over the gains: any of them is enough, so each has its part of alpha (Bonferroni). */
  readonly pValueAdjusted: number;
}

export interface Statement {
  readonly quality: NotWorse;
  readonly gains: readonly TestedGain[];
  /** Of the whole statement's contrary. */
  readonly pValue: number;
  /**
   * `proven`: all of it; `worse`: quality is proven worse than the margin allows; `no-gain`: quality stands, no gain is
   * proven; `open`: quality is not proven either way.
   */
  readonly verdict: "proven" | "worse" | "no-gain" | "open";
}

/**
 * An intersection-union test (Berger, "Multiparameter Hypothesis Testing and Acceptance Sampling", Technometrics 24,
 * 1982, theorem 1): both parts at level alpha each, the larger p-value counts, no correction. The union over gains
 * within the second part takes the smallest times their number. With always-valid parts the statement may be looked at
 * at any time: for it to be wrong, the part that is wrong must ever have been found, which happens with at most alpha.
 * @param gains at least one.
 * @returns no answer where quality has none; a gain without one cannot be the one that is proven.
 */
export function notWorseAndBetter(
  quality: Compared & { readonly margin: Margin },
  gains: readonly Gain[],
  test: OneSided,
): Answer<Statement> {
  const kept = notWorse(quality.treated, quality.control, quality.margin, test);
  if (!kept.ok) return kept;
  const part = { ...test, alpha: test.alpha / gains.length };
  const tested = gains.map(({ name, goal, treated, control }) => {
    const result = notWorse(treated, control, { goal, kind: "absolute", size: 0 }, part);
    const pValueAdjusted = result.ok ? Math.min(1, result.value.pValue * gains.length) : 1;
    return { name, result, pValueAdjusted };
  });
  const best = Math.min(1, ...tested.map(({ pValueAdjusted }) => pValueAdjusted));
  const isKept = kept.value.pValue <= test.alpha;
  const isWorse = kept.value.pValueWorse <= test.alpha;
  const proven = best <= test.alpha ? "proven" : "no-gain";
  const verdict = isKept ? proven : isWorse ? "worse" : "open";
  return answer({ quality: kept.value, gains: tested, pValue: Math.max(kept.value.pValue, best), verdict });
}

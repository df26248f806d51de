import type { LoadReport } from "./load-run.ts";

/** What a rate must keep to count as sustained. */
export interface SustainedBound {
  readonly p99MsMax: number;
  /** Achieved over offered. */
  readonly achievedMin: number;
}

export function isSustained(report: LoadReport, bound: SustainedBound): boolean {
  return (
    report.latencyMs.p99 <= bound.p99MsMax && report.achievedRate >= bound.achievedMin * report.offeredRate
  );
}

/**
 * The highest rate that is sustained: doubled until one is not, then halved in between until within `precision`.
 * Every rate tried is reported, also to `onStep`; the best is undefined where not even the first was sustained.
 */
export async function findHighestRate(
  run: (rate: number) => Promise<LoadReport>,
  bound: SustainedBound,
  firstRate: number,
  onStep: (report: LoadReport, sustained: boolean) => void,
  precision = 0.05,
): Promise<{ best: LoadReport | undefined; steps: LoadReport[] }> {
  const steps: LoadReport[] = [];
  let best: { rate: number; report: LoadReport } | undefined;
  let failedRate = Number.POSITIVE_INFINITY;
  let rate = firstRate;
  while (best === undefined ? failedRate > 1 : failedRate > best.rate * (1 + precision)) {
    const report = await run(rate);
    const sustained = isSustained(report, bound);
    steps.push(report);
    onStep(report, sustained);
    if (sustained) best = { rate, report };
    else failedRate = rate;
    if (failedRate === Number.POSITIVE_INFINITY) rate *= 2;
    else if (best === undefined) rate /= 2;
    else rate = (best.rate + failedRate) / 2;
  }
  return { best: best?.report, steps };
}

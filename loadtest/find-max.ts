import type { LoadReport } from "./load-run.ts";

/** What a rate must keep to count as sustained. */
export interface SustainedBound {
  readonly p99MsMax: number;
  /** Achieved over offered; an answer that says itself that it is degraded is none here. */
  readonly achievedMin: number;
}

export function isSustained(report: LoadReport, bound: SustainedBound): boolean {
  return (
    report.latencyMs.p99 <= bound.p99MsMax &&
    report.achievedRate >= bound.achievedMin * report.offeredRate &&
    report.degraded <= (1 - bound.achievedMin) * report.scheduled
  );
}

/**
 * How much longer the slowest of a hundred waits than the middle one. Of a run at half of the highest sustained rate
 * it says how calm a server is that has room.
 */
export function tailRatio({ latencyMs }: Pick<LoadReport, "latencyMs">): number {
  return latencyMs.p99 / latencyMs.p50;
}

/**
 * Three runs at one rate, and the one with the middle tail ratio: one stall of a shared machine in some seconds decides
 * the ratio of one run, but not of two.
 */
export async function runForTail(run: () => Promise<LoadReport>): Promise<LoadReport> {
  const runs = [await run(), await run(), await run()];
  return runs.toSorted((one, other) => tailRatio(one) - tailRatio(other))[1] as LoadReport;
}

/**
 * The highest rate that is sustained: doubled until one is not, then halved in between until within `precision`. A
 * rate counts as failed only if it fails twice: on a shared machine one bad second proves nothing.
 * Every run is reported, also to `onStep`; the best is undefined where not even one a second was sustained.
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

  async function sustainedRun(at: number): Promise<LoadReport | undefined> {
    const report = await run(at);
    const sustained = isSustained(report, bound);
    steps.push(report);
    onStep(report, sustained);
    return sustained ? report : undefined;
  }

  while (best === undefined ? failedRate > 1 : failedRate > best.rate * (1 + precision)) {
    const report = (await sustainedRun(rate)) ?? (await sustainedRun(rate));
    if (report === undefined) failedRate = rate;
    else best = { rate, report };
    if (failedRate === Number.POSITIVE_INFINITY) rate *= 2;
    else if (best === undefined) rate /= 2;
    else rate = (best.rate + failedRate) / 2;
  }
  return { best: best?.report, steps };
}

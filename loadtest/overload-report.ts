import type { LoadReport } from "./load-run.ts";

/** What an overload did; rates a second, times in ms. */
export interface OverloadReport {
  /** Offered, of the capacity. */
  readonly times: number;
  readonly seconds: number;
  /** The highest load that was sustained: 99 % answered whole, p99 within 50 ms. */
  readonly capacity: LoadReport;
  /** Light load before. */
  readonly light: LoadReport;
  readonly overload: LoadReport;
  /** Until light load was served as before; null where that was not seen. */
  readonly recoveredAfterSeconds: number | null;
  readonly memoryMiB: { readonly before: number; readonly middle: number; readonly after: number };
}

/** Light load is served as before when nothing is degraded or lost and its p99 is no more than this many times that. */
const asBefore = 2;

/** When the first slice of light load began from which on all were served as before. */
export function recoveredAfter(
  slices: readonly LoadReport[],
  before: LoadReport,
  sliceSeconds: number,
): number | null {
  const isWell = ({ degraded, answered, scheduled, latencyMs }: LoadReport): boolean =>
    degraded === 0 && answered === scheduled && latencyMs.p99 <= before.latencyMs.p99 * asBefore;
  const lastBad = slices.findLastIndex((slice) => !isWell(slice));
  return lastBad === slices.length - 1 ? null : (lastBad + 1) * sliceSeconds;
}

export function formatOverload(report: OverloadReport): string {
  const { times, seconds, capacity, light, overload, recoveredAfterSeconds, memoryMiB } = report;
  const share = (rate: number, of: number): string => `${((100 * rate) / of).toFixed(0)} %`;
  const ms = (value: number): string => `${value.toFixed(1)} ms`;
  const whole = Math.round;
  const lines = [
    `capacity          ${whole(capacity.offeredRate)}/s offered, ${whole(capacity.timelyRate)}/s within 50 ms`,
    `overload          ${whole(overload.offeredRate)}/s offered for ${seconds} s, ${times} times as much`,
    `  answered        ${whole(overload.achievedRate)}/s; errors ${JSON.stringify(overload.errors)}`,
    `  goodput         ${whole(overload.timelyRate)}/s within 50 ms, ${share(overload.timelyRate, capacity.timelyRate)} of the capacity's; ${whole(overload.goodRate)}/s of them whole`,
    `  from sending    p50 ${ms(overload.fromSendingMs.p50)}, p99 ${ms(overload.fromSendingMs.p99)}`,
    `  from schedule   p50 ${ms(overload.latencyMs.p50)}, p99 ${ms(overload.latencyMs.p99)} (waiting for a free connection counts)`,
    `  degraded        ${share(overload.degraded, overload.answered)} of the answers`,
    `memory            ${whole(memoryMiB.before)} MiB before, ${whole(memoryMiB.middle)} in the middle, ${whole(memoryMiB.after)} at the end`,
    `light load        p99 ${ms(light.latencyMs.p99)} before; as before ${recoveredAfterSeconds === null ? "not within the seconds that were watched" : `${recoveredAfterSeconds} s after the end`}`,
  ];
  return `${lines.join("\n")}\n`;
}

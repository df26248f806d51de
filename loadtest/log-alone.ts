import { systemClock } from "../src/app/system-clock.ts";
import type { Impression } from "../src/domain/impression.ts";
import { openOutcomeLog, readLog, readLogBatches, verifyLog } from "../src/outcomes/outcomes.ts";
import { bareLoop, readBare } from "./bare-log.ts";
import { madeImpression, madeOutcome, type RecordShape } from "./log-records.ts";

export interface LogAloneOptions extends RecordShape {
  readonly impressions: number;
  readonly outcomes: number;
  /** Outcomes of one call. */
  readonly batch: number;
  /** Impressions, and batches, under way at once. */
  readonly concurrency: number;
}

/** What the log takes by itself, in this process, and a bare loop of the same bytes beside each. */
export interface LogAlone {
  readonly impressionsPerSecond: number;
  readonly impressionBytes: number;
  readonly bareImpressionsPerSecond: number;
  readonly outcomesPerSecond: number;
  readonly outcomeBytes: number;
  readonly bareOutcomesPerSecond: number;
  readonly readMegabytesPerSecond: number;
  readonly readBatchesMegabytesPerSecond: number;
  readonly verifyMegabytesPerSecond: number;
  readonly bareReadMegabytesPerSecond: number;
  readonly recoverMegabytesPerSecond: number;
  /** Processor time of the appending thread for one impression that comes alone: encoding, writing, being told. */
  readonly threadMicrosPerImpression: number;
}

/** @param directory a new one, of the disk that is measured. */
export async function measureLogAlone(directory: string, options: LogAloneOptions): Promise<LogAlone> {
  const { concurrency, batch } = options;
  const logOptions = { directory, segmentBytesMax: 64 * 1024 * 1024, syncIntervalMs: 50, clock: systemClock };
  const impressions = Array.from({ length: options.impressions }, (_, i) => madeImpression(i, options));
  const outcomes = Array.from({ length: options.outcomes }, (_, i) => madeOutcome(i, options.impressions));
  const log = await openOutcomeLog(logOptions);
  const impressionSeconds = await timed(() =>
    inParallel(impressions.length, concurrency, (i) => log.appendImpression(impressions[i] as Impression)),
  );
  const impressionBytes = readBare(directory);
  const batches = Math.ceil(outcomes.length / batch);
  const outcomeSeconds = await timed(() =>
    inParallel(batches, concurrency, async (i) => {
      await log.appendOutcomes(outcomes.slice(i * batch, (i + 1) * batch));
    }),
  );
  const outcomeBytes = readBare(directory) - impressionBytes;
  const threadMicrosPerImpression = await threadMicros(impressions, (impression) =>
    log.appendImpression(impression),
  );
  await log.close();
  const megabytes = readBare(directory) / 1e6;
  const bytesEach = impressionBytes / impressions.length;
  return {
    impressionsPerSecond: impressions.length / impressionSeconds,
    impressionBytes: bytesEach,
    bareImpressionsPerSecond: impressions.length / bareLoop(directory, impressions.length, bytesEach, false),
    outcomesPerSecond: outcomes.length / outcomeSeconds,
    outcomeBytes: outcomeBytes / outcomes.length,
    bareOutcomesPerSecond: outcomes.length / bareLoop(directory, batches, outcomeBytes / batches, true),
    readMegabytesPerSecond: megabytes / (await timed(() => readAll(directory))),
    readBatchesMegabytesPerSecond: megabytes / (await timed(() => readAllBatches(directory))),
    verifyMegabytesPerSecond: megabytes / (await timed(() => verifyLog(directory))),
    bareReadMegabytesPerSecond: megabytes / (await timed(async () => readBare(directory))),
    recoverMegabytesPerSecond:
      megabytes / (await timed(async () => (await openOutcomeLog(logOptions)).close())),
    threadMicrosPerImpression,
  };
}

/**
 * Each in a turn of the event loop of its own, as rank requests come at low load, where no other shares its write; less
 * what turning the loop costs.
 */
async function threadMicros(
  impressions: readonly Impression[],
  append: (impression: Impression) => Promise<void>,
): Promise<number> {
  const spent = async (work: (impression: Impression) => unknown): Promise<number> => {
    const before = process.threadCpuUsage();
    for (const impression of impressions) {
      await work(impression);
      await new Promise(setImmediate);
    }
    const { user, system } = process.threadCpuUsage(before);
    return user + system;
  };
  const appending = await spent(append);
  return (appending - (await spent(() => undefined))) / impressions.length;
}

/** `count` calls, `concurrency` of them under way at any time. */
async function inParallel(
  count: number,
  concurrency: number,
  call: (index: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) await call(next++);
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
}

async function readAll(directory: string): Promise<number> {
  let count = 0;
  for await (const record of readLog(directory))
    count += record.kind === "impression" ? record.items.length : 1;
  return count;
}

async function readAllBatches(directory: string): Promise<number> {
  let count = 0;
  for await (const records of readLogBatches(directory)) count += records.length;
  return count;
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1_000;
}

/**
 * `node loadtest/outcome-log-bench.ts`: what the outcome log takes, as ratios against a bare loop that writes (and, for
 * outcomes, syncs) the same bytes in the same run. Not part of the tests: it measures the disk of the machine it is on.
 */
import {
  closeSync,
  fdatasyncSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command } from "commander";
import { positiveInteger, positiveNumber, wholeNumber } from "../src/cli/argument.ts";
import type { Impression } from "../src/domain/impression.ts";
import type { Outcome } from "../src/domain/outcome.ts";
import { openOutcomeLog, readLog, readLogBatches, verifyLog } from "../src/outcomes/outcomes.ts";

interface Flags {
  readonly impressions: number;
  readonly items: number;
  readonly sent: number;
  readonly outcomes: number;
  readonly batch: number;
  readonly concurrency: number;
  readonly rounds: number;
  readonly directory: string;
}

const flags = new Command("outcome-log-bench")
  .description("Appends impressions and outcomes to a log and compares with a bare write + fdatasync loop.")
  .option("--impressions <count>", "impressions a round", positiveInteger, 20_000)
  .option("--items <count>", "ranked items of an impression", positiveInteger, 50)
  .option(
    "--sent <count>",
    "numbers that the request sent with its context, and with each item",
    wholeNumber,
    0,
  )
  .option("--outcomes <count>", "outcomes a round", positiveInteger, 100_000)
  .option("--batch <count>", "outcomes of one call", positiveInteger, 500)
  .option("--concurrency <count>", "impressions, and batches, under way at once", positiveInteger, 16)
  .option("--rounds <count>", "rounds; the median is printed", positiveNumber, 5)
  .option("--directory <folder>", "where to write (its disk is what is measured)", tmpdir())
  .allowExcessArguments(false)
  .parse()
  .opts<Flags>();

const clock = { now: () => Date.now(), monotonic: () => performance.now() };
const folder = mkdtempSync(join(flags.directory, "setlist-log-bench-"));
try {
  const rounds = [];
  for (let round = 0; round < flags.rounds; round++) rounds.push(await runRound(join(folder, String(round))));
  print(rounds);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

interface Round {
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
}

async function runRound(directory: string): Promise<Round> {
  const options = { directory, segmentBytesMax: 64 * 1024 * 1024, syncIntervalMs: 50, clock };
  const impressions = Array.from({ length: flags.impressions }, (_, i) => impressionOf(i));
  const outcomes = Array.from({ length: flags.outcomes }, (_, i) => outcomeOf(i));
  const log = await openOutcomeLog(options);
  const impressionSeconds = await timed(() =>
    inParallel(impressions.length, (i) => log.appendImpression(impressions[i] as Impression)),
  );
  const impressionBytes = bytesIn(directory);
  const batches = Math.ceil(outcomes.length / flags.batch);
  const outcomeSeconds = await timed(() =>
    inParallel(batches, async (i) => {
      await log.appendOutcomes(outcomes.slice(i * flags.batch, (i + 1) * flags.batch));
    }),
  );
  await log.close();
  const bytes = bytesIn(directory);
  const outcomeBytes = bytes - impressionBytes;
  const bareWriteSeconds = await bareLoop(
    directory,
    impressions.length,
    impressionBytes / impressions.length,
    false,
  );
  const bareSyncSeconds = await bareLoop(directory, batches, outcomeBytes / batches, true);
  const megabytes = bytes / 1e6;
  return {
    impressionsPerSecond: impressions.length / impressionSeconds,
    impressionBytes: impressionBytes / impressions.length,
    bareImpressionsPerSecond: impressions.length / bareWriteSeconds,
    outcomesPerSecond: outcomes.length / outcomeSeconds,
    outcomeBytes: outcomeBytes / outcomes.length,
    bareOutcomesPerSecond: outcomes.length / bareSyncSeconds,
    readMegabytesPerSecond: megabytes / (await timed(() => readAll(directory))),
    readBatchesMegabytesPerSecond: megabytes / (await timed(() => readAllBatches(directory))),
    verifyMegabytesPerSecond: megabytes / (await timed(() => verifyLog(directory))),
    bareReadMegabytesPerSecond: megabytes / (await timed(async () => readBare(directory))),
    recoverMegabytesPerSecond: megabytes / (await timed(async () => (await openOutcomeLog(options)).close())),
  };
}

/** `count` calls, `--concurrency` of them under way at any time. */
async function inParallel(count: number, call: (index: number) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) await call(next++);
  };
  await Promise.all(Array.from({ length: flags.concurrency }, worker));
}

/** What a program without a log would do: one write a record, or one write and one sync a batch, one after the other. */
async function bareLoop(directory: string, writes: number, bytes: number, sync: boolean): Promise<number> {
  const buffer = Buffer.alloc(Math.round(bytes), 0x61);
  const file = openSync(join(directory, "bare"), "w");
  const seconds = await timed(async () => {
    for (let i = 0; i < writes; i++) {
      writeSync(file, buffer);
      if (sync) fdatasyncSync(file);
    }
  });
  closeSync(file);
  rmSync(join(directory, "bare"));
  return seconds;
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

function readBare(directory: string): number {
  return segmentsIn(directory).reduce((bytes, name) => bytes + readFileSync(join(directory, name)).length, 0);
}

function segmentsIn(directory: string): string[] {
  return readdirSync(directory).filter((name) => /\.(seg|open)$/.test(name));
}

function bytesIn(directory: string): number {
  return readBare(directory);
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1_000;
}

function impressionOf(number: number): Impression {
  const userId = `u${(number * 7_919) % 5_000}`;
  return {
    kind: "impression",
    requestId: uuidOf(number),
    at: 1.8e12 + number,
    surface: "home",
    userId,
    assignments: [
      {
        experiment: "home-kd",
        arm: "kd-aux",
        layer: "home-ranker",
        phase: 1,
        unit: userId,
        propensity: 0.5,
        overridden: false,
      },
    ],
    model: { name: "home-kd-aux", version: "1" },
    degraded: [],
    timings: { assign: 0.02, features: 0.4, queue: 0.1, inference: 1.3, rank: 0.05 },
    candidateCount: 200,
    items: Array.from({ length: flags.items }, (_, i) => ({
      id: `t${(number * 31 + i * 17) % 5_000}`,
      position: i + 1,
      score: 1 / (i + 1.7),
      tasks: { click: Math.fround(0.31 / (i + 1)), completion: Math.fround(0.64), like: Math.fround(0.05) },
    })),
    ...(flags.sent > 0 && { sent: sentOf(number) }),
  };
}

function sentOf(number: number): Impression["sent"] {
  const numbers = (of: number): number[] => Array.from({ length: flags.sent }, (_, i) => (of + i) / 7);
  return {
    context: { seed_content: numbers(number) },
    items: Array.from({ length: flags.items }, (_, i) => ({ content: numbers(i) })),
  };
}

function outcomeOf(number: number): Outcome {
  return {
    kind: "outcome",
    outcomeId: uuidOf(1e9 + number),
    requestId: uuidOf(number % flags.impressions),
    itemId: `t${number % 5_000}`,
    type: "completion",
    value: 1,
    occurredAt: 1.8e12 + number,
    receivedAt: 1.8e12 + number + 100,
  };
}

function uuidOf(number: number): string {
  return `01989f3e-7c00-7000-8000-${number.toString(16).padStart(12, "0")}`;
}

function print(rounds: readonly Round[]): void {
  const of = (pick: (round: Round) => number): number => {
    const sorted = rounds.map(pick).sort((a, b) => a - b);
    return sorted[Math.floor(sorted.length / 2)] as number;
  };
  const line = (
    what: string,
    value: (round: Round) => number,
    bare: (round: Round) => number,
    unit: string,
  ): void => {
    const ratio = of((round) => value(round) / bare(round));
    console.log(
      `${what.padEnd(34)} ${Math.round(of(value)).toLocaleString("en-US").padStart(10)} ${unit.padEnd(14)} ` +
        `${ratio.toFixed(2).padStart(6)} x bare (${Math.round(of(bare)).toLocaleString("en-US")})`,
    );
  };
  console.log(
    `median of ${rounds.length} rounds; an impression of ${flags.items} items has ` +
      `${Math.round(of((round) => round.impressionBytes))} bytes, an outcome ${Math.round(of((round) => round.outcomeBytes))}; ` +
      `${flags.concurrency} calls under way`,
  );
  line(
    "impressions written",
    (r) => r.impressionsPerSecond,
    (r) => r.bareImpressionsPerSecond,
    "a second",
  );
  line(
    `outcomes durable, ${flags.batch} a batch`,
    (r) => r.outcomesPerSecond,
    (r) => r.bareOutcomesPerSecond,
    "a second",
  );
  line(
    "readLog",
    (r) => r.readMegabytesPerSecond,
    (r) => r.bareReadMegabytesPerSecond,
    "MB/s",
  );
  line(
    "readLogBatches",
    (r) => r.readBatchesMegabytesPerSecond,
    (r) => r.bareReadMegabytesPerSecond,
    "MB/s",
  );
  line(
    "verifyLog",
    (r) => r.verifyMegabytesPerSecond,
    (r) => r.bareReadMegabytesPerSecond,
    "MB/s",
  );
  line(
    "recovery",
    (r) => r.recoverMegabytesPerSecond,
    (r) => r.bareReadMegabytesPerSecond,
    "MB/s",
  );
}

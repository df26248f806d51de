/**
 * How fast the log is sent to Kafka and landed as Parquet, what the messages cost beside the log's own bytes, and what an
 * outage does: `node loadtest/shipping-bench.ts [impressions]`, 20,000 of 50 items and as many outcomes where left out.
 * Needs Java and Kafka's jars (test/support/kafka/fetch.sh); broker, shipper and this process share the machine.
 */
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { zstdCompressSync } from "node:zlib";
import { ingestToFolder } from "../src/app/ingest-topics.ts";
import { LogShipping } from "../src/app/log-shipping.ts";
import { type OpenedOutcomeLog, openOutcomeLog } from "../src/outcomes/outcomes.ts";
import { recordJson } from "../src/shipping/record-json.ts";
import { startKafka } from "../test/support/kafka.ts";
import { impressionOf, outcomeOf } from "../test/support/log-records.ts";
import { clusterOf, shippersOf } from "../test/support/shipping.ts";

const impressions = Number(process.argv[2] ?? 20_000);
if (!Number.isSafeInteger(impressions) || impressions < 20) {
  throw new Error("usage: npm run loadtest:shipping -- [impressions], a whole number from 20");
}
const items = Array.from({ length: 50 }, (_, i) => `track-${i * 7_919}`);
const folder = await mkdtemp(join(tmpdir(), "setlist-shipping-"));
const broker = await startKafka();

function impression(id: number) {
  const plain = impressionOf(
    `0192f0c1-7a2b-7c3d-8e4f-${String(id).padStart(12, "0")}`,
    `u${id % 5_000}`,
    "kd",
    items,
  );
  const tasks = (i: number): Record<string, number> => ({
    click: Math.fround(Math.abs(Math.sin(id + i))),
    completion: Math.fround(Math.abs(Math.cos(id * i))),
  });
  return {
    ...plain,
    at: Date.now(),
    items: plain.items.map((item, i) => ({
      ...item,
      score: Math.abs(Math.sin(id * 31 + i)),
      tasks: tasks(i),
    })),
  };
}

async function append(log: OpenedOutcomeLog, from: number, count: number): Promise<void> {
  for (let i = from; i < from + count; i += 500) {
    const ids = Array.from({ length: Math.min(500, from + count - i) }, (_, j) => i + j);
    const shown = ids.map(impression);
    await Promise.all(shown.map((one) => log.appendImpression(one)));
    await log.appendOutcomes(
      shown.map(({ requestId }, j) => ({
        ...outcomeOf(`o${i + j}`, requestId, "track-0"),
        receivedAt: Date.now(),
      })),
    );
  }
}

function residentMb(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1_024;
}

/** Of the whole process so far; what a busy machine makes of that in time is another matter. */
function cpuSeconds(pid: number): number {
  const [user = 0, system = 0] = (readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1] ?? "")
    .split(" ")
    .slice(11, 13)
    .map(Number);
  return (user + system) / clockTicksPerSecond;
}
const clockTicksPerSecond = 100;

const say = (line: string): void => void process.stdout.write(`${line}\n`);
const seconds = (since: number): number => (performance.now() - since) / 1_000;
const whole = (value: number): string => Math.round(value).toLocaleString("en-US");

const log = await openOutcomeLog({
  directory: join(folder, "log"),
  segmentBytesMax: 64 * 1_048_576,
  syncIntervalMs: 50,
  clock: { now: () => Date.now(), monotonic: () => performance.now() },
});
await append(log, 0, impressions);
await log.appendOutcomes([outcomeOf("synced", "r", "t")]);
const logBytes = log.syncedEnds().reduce((sum, { bytes }) => sum + bytes, 0);
const json = Array.from({ length: 400 }, (_, i) => recordJson(impression(i)));
const jsonBytes = Buffer.byteLength(json.join("")) / json.length;
const packed = zstdCompressSync(Buffer.from(json.join(""))).length / json.length;
const frames = readFileSync(join(folder, "log", "0000000001.open")).subarray(0, 1_048_576);
say(`an impression of 50 items: JSON ${whole(jsonBytes)} bytes, ${whole(packed)} with zstd`);
say(
  `the log: ${whole(logBytes / impressions)} bytes an impression and an outcome, ${whole((zstdCompressSync(frames).length / frames.length) * (logBytes / impressions))} with zstd`,
);

const cluster = { ...clusterOf(broker.address, "bench"), bytesPerSecondMax: 1e9 };
let status: { records: number; bytes: number; lagBytes: number; failures: number } | undefined;
const shipping = new LogShipping({
  dataDir: folder,
  shipping: cluster,
  onWarning: (message) => say(`  (${message})`),
  metrics: {
    started: () => undefined,
    note(latest) {
      status = latest;
    },
  },
});
let began = performance.now();
shipping.begin(log);
const caughtUp = async (records: number): Promise<void> => {
  while ((status?.records ?? 0) < records || status?.lagBytes !== 0) await sleep(20);
};
await caughtUp(2 * impressions + 1);
const took = seconds(began);
const [shipper = 0] = shippersOf(process.pid);
const cpu = cpuSeconds(shipper);
say(
  `shipped: ${whole((2 * impressions) / took)} records a second in ${took.toFixed(1)} s, ${whole((2 * impressions) / cpu)} a second of CPU time (${((status?.bytes ?? 0) / 1e6 / cpu).toFixed(0)} MB of messages), the process' start included`,
);

await broker.kill();
const quiet = residentMb(shipper);
const backlog = Math.round(impressions / 2);
let largest = 0;
for (let i = 0; i < 20; i++) {
  await append(log, impressions + (i * backlog) / 20, backlog / 20);
  largest = Math.max(largest, residentMb(shipper));
  await sleep(500);
}
say(
  `outage: ${whole(2 * backlog)} records more in ${seconds(began).toFixed(0)} s, ${whole(status?.failures ?? 0)} failures; the shipper has ${whole(quiet)} MB before it and ${whole(largest)} MB at most during it`,
);
await broker.start();
began = performance.now();
await log.appendOutcomes([outcomeOf("last", "r", "t")]);
await caughtUp(2 * (impressions + backlog) + 2);
say(`caught up ${seconds(began).toFixed(1)} s after the broker took connections again`);
await log.close();
await shipping.close();

began = performance.now();
const progress = await ingestToFolder({
  cluster,
  out: join(folder, "out"),
  batchBytesMax: 128e6,
  batchMsMax: 60_000,
  once: true,
  signal: new AbortController().signal,
  onProgress: () => undefined,
  onWarning: say,
});
say(
  `ingested: ${whole((progress.impressions + progress.outcomes) / seconds(began))} records a second (${whole(progress.impressions)} impressions, ${whole(progress.outcomes)} outcomes, ${whole(progress.duplicates)} duplicates left out) in ${seconds(began).toFixed(1)} s`,
);
await broker.remove();
await rm(folder, { recursive: true, force: true });

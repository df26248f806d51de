/**
 * `npm run loadtest:compaction`: how fast one process makes Parquet of sealed segments, in MB of log a second, and
 * where the time goes: reading and decoding alone, staging too, all of it. Not part of the tests.
 */
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command } from "commander";
import { systemClock } from "../src/app/system-clock.ts";
import { positiveInteger } from "../src/cli/argument.ts";
import { withDatabase } from "../src/columnar/columnar.ts";
import type { Impression } from "../src/domain/impression.ts";
import type { Outcome } from "../src/domain/outcome.ts";
import { logSegments, openOutcomeLog } from "../src/outcomes/outcomes.ts";
import { stageSegment } from "../src/warehouse/segment-rows.ts";
import { compactLog } from "../src/warehouse/warehouse.ts";

interface Flags {
  readonly impressions: number;
  readonly items: number;
  readonly outcomes: number;
  readonly folder: string;
}

const flags = new Command("loadtest:compaction")
  .description("Compact a log of impressions, and one of outcomes, and say how fast.")
  .option("--impressions <COUNT>", "impressions", positiveInteger, 80_000)
  .option("--items <COUNT>", "ranked items of an impression", positiveInteger, 50)
  .option("--outcomes <COUNT>", "outcomes", positiveInteger, 1_000_000)
  .option("--folder <FOLDER>", "where to write", tmpdir())
  .allowExcessArguments(false)
  .parse()
  .opts<Flags>();

const began = Date.parse("2026-11-22T12:00:00Z");
const folder = mkdtempSync(join(flags.folder, "setlist-compaction-bench-"));
try {
  await measure("impressions", async (log) => {
    for (let i = 0; i < flags.impressions; ) {
      const appended = [];
      for (const end = Math.min(i + 500, flags.impressions); i < end; i++)
        appended.push(log.appendImpression(impressionOf(i)));
      await Promise.all(appended);
    }
  });
  await measure("outcomes", async (log) => {
    for (let i = 0; i < flags.outcomes; i += 10_000)
      await log.appendOutcomes(
        Array.from({ length: Math.min(10_000, flags.outcomes - i) }, (_, j) => outcomeOf(i + j)),
      );
  });
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function measure(
  name: string,
  fill: (log: Awaited<ReturnType<typeof openOutcomeLog>>) => Promise<void>,
): Promise<void> {
  const directory = join(folder, name);
  mkdirSync(directory);
  const log = await openOutcomeLog({
    directory,
    segmentBytesMax: 64 * 1024 * 1024,
    syncIntervalMs: 50,
    clock: systemClock,
  });
  await fill(log);
  await log.close();
  const megabytes = bytesIn(directory, ".seg") / 1e6;
  const segments = (): ReturnType<typeof logSegments> => logSegments(directory);
  const decode = await timed(async () => {
    let records = 0;
    for (const segment of await segments()) for await (const batch of segment.read()) records += batch.length;
    return records;
  });
  const stage = await timed(async () => {
    for (const segment of await segments())
      await withDatabase({ overflow: join(folder, "overflow") }, (staging) => stageSegment(staging, segment));
  });
  const warehouse = join(folder, `${name}-warehouse`);
  const all = await timed(() => compactLog({ segments, warehouse }));
  const rate = ({ seconds }: { seconds: number }): string => `${(megabytes / seconds).toFixed(0)} MB/s`;
  console.log(
    `${name}: ${megabytes.toFixed(0)} MB of log; decoded at ${rate(decode)}, staged at ${rate(stage)}, compacted at ` +
      `${rate(all)} (${(megabytes / all.cpuSeconds).toFixed(0)} MB a CPU second); ` +
      `${(bytesIn(warehouse, ".parquet") / 1e6).toFixed(1)} MB of Parquet`,
  );
}

async function timed(work: () => Promise<unknown>): Promise<{ seconds: number; cpuSeconds: number }> {
  const start = performance.now();
  const cpu = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(cpu);
  return { seconds: (performance.now() - start) / 1_000, cpuSeconds: (user + system) / 1e6 };
}

function bytesIn(directory: string, ending: string): number {
  return readdirSync(directory, { recursive: true })
    .map(String)
    .filter((name) => name.endsWith(ending))
    .reduce((bytes, name) => bytes + statSync(join(directory, name)).size, 0);
}

/** As a server logs it: items of a catalogue of 100,000, four tasks. */
function impressionOf(index: number): Impression {
  const user = `user-${(index * 7919) % 50_000}`;
  return {
    kind: "impression",
    requestId: `01990000-0000-7000-8000-${String(index).padStart(12, "0")}`,
    at: began + index / 20,
    surface: "home",
    userId: user,
    assignments: [
      {
        experiment: "home-kd",
        arm: index % 2 === 0 ? "control" : "kd",
        layer: "home-ranker",
        phase: 1,
        unit: user,
        propensity: 0.5,
        overridden: false,
      },
    ],
    model: { name: "home-kd", version: "1" },
    degraded: [],
    timings: { assign: 0.02, features: 0.4, queue: 0.1, inference: 2.1, rank: 0.1 },
    candidateCount: 200,
    items: Array.from({ length: flags.items }, (_, place) => ({
      id: `item-${(index * 104_729 + place * 7_907) % 100_000}`,
      position: place + 1,
      score: Math.fround(Math.random()),
      tasks: {
        click: Math.fround(Math.random()),
        like: Math.fround(Math.random()),
        completion: Math.fround(Math.random()),
        skip: Math.fround(Math.random()),
      },
    })),
  };
}

function outcomeOf(index: number): Outcome {
  return {
    kind: "outcome",
    outcomeId: `02990000-0000-7000-8000-${String(index).padStart(12, "0")}`,
    requestId: `01990000-0000-7000-8000-${String(index >> 2).padStart(12, "0")}`,
    itemId: `item-${(index * 104_729) % 100_000}`,
    type: ["click", "completion", "skip", "like"][index % 4] as string,
    value: 1,
    occurredAt: began + index / 80,
    receivedAt: began + index / 80 + 300,
  };
}

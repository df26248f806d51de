/**
 * `npm run loadtest:labels`: candidates a second of `setlist label` over a sealed log of the committed world, and
 * what each of its stages takes alone. Not part of the tests: it measures the machine that it is on.
 */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command } from "commander";
import { labelDataDirectory } from "../src/app/data/label-data.ts";
import { systemClock } from "../src/app/system-clock.ts";
import { positiveInteger } from "../src/cli/argument.ts";
import { loadConfig } from "../src/config.ts";
import type { EncodedRequest } from "../src/domain/feature-store.ts";
import type { Impression } from "../src/domain/impression.ts";
import type { Model, ModelRef } from "../src/domain/model.ts";
import { openFeatureStore } from "../src/features/features.ts";
import { openScorer } from "../src/inference/inference.ts";
import { labelLog, teacherRequest } from "../src/labels/labels.ts";
import { openOutcomeLog, sealedSegments } from "../src/outcomes/outcomes.ts";
import { drawRankRequests } from "./rank-requests.ts";
import { worldSize } from "./world-size.ts";

interface Flags {
  readonly models?: string;
  readonly teacher: string;
  readonly impressions: number;
  readonly items: number;
  readonly rounds: number;
  readonly seed: number;
  readonly folder: string;
}

/** Candidates a second that the labeller is asked for. */
const wanted = 200_000;
const batchRowsMax = 8_192;

const flags = new Command("loadtest:labels")
  .description(
    "Label a sealed log of the committed world and say how many candidates a second, and where time goes.",
  )
  .option("--models <FOLDER>", "the model repository (default: models/repository)")
  .option("--teacher <NAME>", "the teacher", "video-teacher")
  .option("--impressions <COUNT>", "impressions of the log", positiveInteger, 2_500)
  .option("--items <COUNT>", "ranked items of an impression", positiveInteger, 200)
  .option("--rounds <COUNT>", "runs of the labeller; all are printed", positiveInteger, 3)
  .option("--seed <NUMBER>", "draws users and items", positiveInteger, 1)
  .option("--folder <FOLDER>", "where to write the log and the labels", tmpdir())
  .allowExcessArguments(false)
  .parse()
  .opts<Flags>();

const { models, world, features } = loadConfig({
  flags: { models: flags.models },
  env: {},
  cwd: process.cwd(),
});
const candidates = flags.impressions * flags.items;
const dataDir = mkdtempSync(join(flags.folder, "setlist-label-bench-"));
const log = join(dataDir, "log");
try {
  await writeLog();
  const directory = join(dataDir, "features");
  mkdirSync(directory);
  await (await openFeatureStore({ directory, world, cacheRowsMax: features.cacheRowsMax })).close();
  console.log(
    `seed ${flags.seed}: ${flags.impressions} impressions of ${flags.items} items, ${count(candidates)} candidates`,
  );
  for (let round = 0; round < flags.rounds; round++) {
    rmSync(join(dataDir, "labels"), { recursive: true, force: true });
    const seconds = await timed(label);
    const rate = candidates / seconds;
    console.log(
      `label, start included: ${seconds.toFixed(2)} s, ${count(rate)} candidates a second, ` +
        `${((100 * rate) / wanted).toFixed(0)} % of ${count(wanted)}`,
    );
  }
  await stages(directory);
} finally {
  rmSync(dataDir, { recursive: true, force: true });
}

async function label(): Promise<void> {
  const { labelled } = await labelDataDirectory({
    dataDir,
    models,
    world,
    cacheRowsMax: features.cacheRowsMax,
    teacher: { name: flags.teacher, version: undefined } satisfies ModelRef,
    signal: new AbortController().signal,
    onWarning: (warning) => console.error(warning),
  });
  if (labelled !== candidates) throw new Error(`expected ${candidates} labels, found ${labelled}`);
}

/** Each stage by itself, one after the other: in the labeller inference runs beside the others, on a thread of its own. */
async function stages(directory: string): Promise<void> {
  const line = (stage: string, seconds: number): void =>
    console.log(
      `${stage.padEnd(28)} ${seconds.toFixed(2).padStart(6)} s ${((1e6 * seconds) / candidates).toFixed(2).padStart(6)} us a candidate`,
    );
  const impressions: Impression[] = [];
  const readSeconds = await timed(async () => {
    for (const segment of (await sealedSegments(log)).sealed)
      for await (const records of segment.read())
        for (const record of records) if (record.kind === "impression") impressions.push(record);
  });
  line("read", readSeconds);

  const scorer = await openScorer({
    repository: models,
    models: [{ name: flags.teacher, version: undefined }],
    role: "teacher",
    workers: 1,
    batchRowsMax,
    queueRequestsMax: Number.MAX_SAFE_INTEGER,
    clock: systemClock,
  });
  const model = scorer.models()[0] as Model;
  const store = await openFeatureStore({ directory, world, cacheRowsMax: features.cacheRowsMax });
  store.prepare([model]);
  const encoded: EncodedRequest[] = [];
  line(
    "encode",
    await timed(async () => {
      for (const impression of impressions)
        encoded.push(await store.encode(model, teacherRequest(model, impression)));
    }),
  );
  await store.close();
  line(
    `infer, ${count(batchRowsMax)} at once`,
    await timed(() =>
      Promise.all(encoded.map((one) => scorer.score(model, one, systemClock.monotonic() + 1e8))),
    ),
  );
  await scorer.close();

  const { name, version, tasks } = model;
  const constant = new Float32Array(flags.items * tasks.length).fill(0.5);
  const writeSeconds = await timed(() =>
    labelLog({
      labels: join(dataDir, "constant"),
      teacher: { name, version, tasks, score: async () => constant },
      segments: () => sealedSegments(log),
      clock: systemClock,
      signal: new AbortController().signal,
    }),
  );
  line("write (read and write - read)", writeSeconds - readSeconds);
}

async function writeLog(): Promise<void> {
  const outcomeLog = await openOutcomeLog({
    directory: log,
    segmentBytesMax: 64 * 1_048_576,
    syncIntervalMs: 1_000,
    clock: systemClock,
  });
  const shape = {
    seed: flags.seed,
    surface: "home",
    candidates: flags.items,
    limit: undefined,
    ...worldSize(),
  };
  for (const [number, { user, candidateIds }] of drawRankRequests(shape, flags.impressions).entries()) {
    await outcomeLog.appendImpression({
      kind: "impression",
      requestId: `01989f3e-7c00-7000-8000-${number.toString(16).padStart(12, "0")}`,
      at: Date.now(),
      surface: "home",
      userId: user.id,
      assignments: [],
      model: { name: "home-control", version: "1" },
      degraded: [],
      timings: { assign: 0.02, features: 0.4, queue: 0.1, inference: 1.3, rank: 0.05 },
      candidateCount: flags.items,
      items: candidateIds.map((id, place) => ({
        id,
        position: place + 1,
        score: 1 / (place + 1),
        tasks: { click: Math.fround(0.3 / (place + 1)), completion: 0.5, like: 0.0625 },
      })),
    });
  }
  await outcomeLog.close();
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1_000;
}

function count(value: number): string {
  return Math.round(value).toLocaleString("en-US");
}

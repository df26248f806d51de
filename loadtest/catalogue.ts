/**
 * `npm run loadtest:catalogue`: latency of one connection by the size of the catalogue, and the memory that it takes.
 * Each size is a made-up world and a server of its own, measured in turns with the smallest.
 */
import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { loadavg, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { Command } from "commander";
import { startServerProcess } from "../src/app/server-process.ts";
import { positiveInteger, positiveNumber } from "../src/cli/argument.ts";
import { messageOf } from "../src/domain/error.ts";
import { startAskedProcess } from "./asked-process.ts";
import { machineOf } from "./bench-report.ts";
import {
  type CatalogueFacts,
  type CatalogueReport,
  type CatalogueRound,
  type CatalogueRow,
  catalogueRowOf,
  formatCatalogue,
} from "./catalogue-report.ts";
import type { ClosedLoopOrder, ClosedLoopResult } from "./closed-loop-client.ts";
import { httpTarget } from "./http-target.ts";
import { makeWorld } from "./made-world.ts";
import { residentMib } from "./process-figures.ts";
import { httpRankRequests } from "./rank-requests.ts";
import { saveJson } from "./save-json.ts";
import { worldSize } from "./world-size.ts";

/** Items a warming request asks for: as many as a request may. */
const warmingCandidates = 2_000;
/** Requests drawn for a measurement: more than it sends, so that no row is in the CPU's cache because it just was asked for. */
const distinctRequests = 4_000;
/** An import of millions of rows and the slab's growth take their time. */
const patienceMs = 1_800_000;

const flags = new Command("loadtest:catalogue")
  .description("Measure latency and memory by the number of items in the catalogue.")
  .option("--sizes <COUNT...>", "items", (value, all: number[] | undefined) => [
    ...(all ?? []),
    positiveInteger(value),
  ])
  .option("--rounds <COUNT>", "rounds, each the smallest and the size", positiveInteger, 15)
  .option("--seconds <SECONDS>", "length of a measurement", positiveNumber, 0.4)
  .option("--candidates <COUNT>", "candidates of a request", positiveInteger, 200)
  .option("--limit <COUNT>", "ranked items asked for", positiveInteger, 20)
  .option("--folder <FOLDER>", "keep worlds and their imports there for the next run")
  .option("--prepare", "only make and import the worlds; with --folder")
  .option("--json <FILE>", "save the figures as JSON (default: not)")
  .allowExcessArguments(false)
  .parse()
  .opts<{
    sizes?: number[];
    rounds: number;
    seconds: number;
    candidates: number;
    limit: number;
    folder?: string;
    prepare?: boolean;
    json?: string;
  }>();

const sizes = (flags.sizes ?? [10_000, 100_000, 500_000, 2_000_000]).toSorted((a, b) => a - b);
const loadBefore = loadavg()[0] ?? 0;
await using opened = new AsyncDisposableStack();
const folder = resolve(flags.folder ?? (await mkdtemp(join(tmpdir(), "setlist-catalogue-"))));
if (flags.folder === undefined) opened.defer(() => rm(folder, { recursive: true, force: true }));

interface Catalogue {
  readonly pid: number;
  readonly url: string;
  readonly facts: CatalogueFacts;
}

/** Starts a server of so many items, and asks for every one of them once. */
async function openCatalogue(items: number, until: AsyncDisposableStack): Promise<Catalogue> {
  const place = join(folder, String(items));
  const dataDir = join(place, "data");
  const world = join(place, "world");
  await makeWorld(world, items);
  await mkdir(join(place, "experiments"), { recursive: true });
  const config = join(place, "setlist.yaml");
  await writeFile(config, configuration(items, world, join(place, "experiments")));
  const imported = (await storeBytes(dataDir)) === 0;
  const begun = performance.now();
  const options = { dataDir, flags: ["--config", config], readyMsMax: patienceMs };
  const server = until.adopt(await startServerProcess(options), (it) => it.stop().then(() => {}));
  const readySeconds = (performance.now() - begun) / 1_000;
  const url = `http://127.0.0.1:${server.httpPort}`;
  const warmSeconds = flags.prepare === true ? 0 : await warm(url, items);
  const facts = {
    items,
    readySeconds,
    imported,
    warmSeconds,
    residentMib: residentMib(server.pid),
    storeMib: (await storeBytes(dataDir)) / 2 ** 20,
  };
  return { pid: server.pid, url, facts };
}

/** JSON is YAML. No experiments, so that one model has every row; no request is given up while rows are computed. */
function configuration(items: number, world: string, experiments: string): string {
  return JSON.stringify({
    models: join(import.meta.dirname, "..", "models", "repository"),
    world,
    experiments,
    drainDelayMs: 0,
    surfaces: { home: { defaultModel: { name: "home-control" }, timeoutMs: 600_000 } },
    features: { cacheRowsMax: Math.max(items, worldSize().listeners) },
  });
}

async function storeBytes(dataDir: string): Promise<number> {
  const features = join(dataDir, "features");
  const files = await readdir(features).catch(() => []);
  const stores = files.filter((name) => name.endsWith(".lmdb"));
  const found = await Promise.all(stores.map((name) => stat(join(features, name))));
  return found.reduce((sum, { size }) => sum + size, 0);
}

/** Seconds that it took. @throws {Error} where an answer was not whole: a size whose rows are not warm says nothing. */
async function warm(url: string, items: number): Promise<number> {
  const begun = performance.now();
  const target = httpTarget(url, 1);
  for (let first = 1; first <= items; first += warmingCandidates) {
    const count = Math.min(warmingCandidates, items - first + 1);
    const candidateIds = Array.from({ length: count }, (_, i) => `t${first + i}`);
    const body = { surface: "home", user: { id: "u1" }, candidateIds, limit: 1 };
    const [request] = httpRankRequests([body], url);
    const answer = await target.send(request as Buffer);
    if (!answer.ok || answer.degraded)
      throw new Error(`warming from t${first}: ${answer.code} ${answer.body.toString().slice(0, 200)}`);
  }
  target.close();
  return (performance.now() - begun) / 1_000;
}

async function measured(size: Catalogue, smallest: Catalogue): Promise<CatalogueRow> {
  const client = await startAskedProcess("closed-loop-client.ts");
  const { candidates, limit, seconds } = flags;
  const measure = ({ url, facts }: Catalogue, secondsEach: number): Promise<ClosedLoopResult> => {
    const order: ClosedLoopOrder = {
      protocol: "http",
      address: url,
      inFlight: 1,
      candidates,
      limit: Math.min(limit, candidates),
      seconds: secondsEach,
      tracks: facts.items,
      distinctRequests,
    };
    return client.ask<ClosedLoopResult>(order);
  };
  try {
    for (const one of [smallest, size]) await measure(one, 0.5);
    const rounds: CatalogueRound[] = [];
    for (let round = 0; round < flags.rounds; round++) {
      const least = await measure(smallest, seconds);
      rounds.push({ smallest: least, size: size === smallest ? least : await measure(size, seconds) });
    }
    return catalogueRowOf({ ...size.facts, residentMib: residentMib(size.pid) }, rounds);
  } finally {
    await client.close();
  }
}

const rows: CatalogueRow[] = [];
const unmeasured: { items: number; why: string }[] = [];
let smallest: Catalogue | undefined;
for (const items of sizes) {
  process.stderr.write(`${items} items …\n`);
  await using its = new AsyncDisposableStack();
  try {
    // The smallest stays up: every other is measured in turns with it.
    const catalogue: Catalogue = await openCatalogue(items, smallest === undefined ? opened : its);
    smallest ??= catalogue;
    if (flags.prepare === true) {
      const { readySeconds, storeMib } = catalogue.facts;
      process.stdout.write(
        `${items} items: ready after ${readySeconds.toFixed(1)} s, store ${storeMib.toFixed(0)} MiB, resident ${catalogue.facts.residentMib.toFixed(0)} MiB\n`,
      );
    } else rows.push(await measured(catalogue, smallest));
  } catch (error) {
    unmeasured.push({ items, why: messageOf(error) });
    process.stderr.write(`${unmeasured.at(-1)?.why}\n`);
  }
}
const { candidates, limit } = flags;
const report: CatalogueReport = {
  rows,
  unmeasured,
  candidates,
  limit,
  machine: machineOf(loadBefore),
  at: new Date().toISOString(),
};
if (flags.prepare !== true) process.stdout.write(formatCatalogue(report));
saveJson(flags.json, report);

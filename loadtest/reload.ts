/**
 * `npm run loadtest:reload`: a server of our own under steady open-loop load whose model is replaced by a new version
 * again and again, in turns with the same load left alone. Fails where a request failed, where the p99 while models
 * come and go is above the bar, or where not every version came to serve.
 */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { Command } from "commander";
import { startServerProcess } from "../src/app/server-process.ts";
import { positiveInteger, positiveNumber, wholeNumber } from "../src/cli/argument.ts";
import { median } from "./bench-ratios.ts";
import { httpTarget } from "./http-target.ts";
import { type LoadReport, runLoad } from "./load-run.ts";
import { formatLoadTable } from "./load-table.ts";
import { residentMib, treeProcessorMs } from "./process-figures.ts";
import { publishVersion } from "./published-version.ts";
import { drawRankRequests, httpRankRequests } from "./rank-requests.ts";
import { saveJson } from "./save-json.ts";
import { worldSize } from "./world-size.ts";

/** p99 with reloads over p99 without. */
const barRatio = 1.5;

const flags = new Command("loadtest:reload")
  .description("Measure the cost of new model versions under load: failed requests, p99, memory.")
  .option("--reloads <COUNT>", "new versions, over all turns", positiveInteger, 100)
  .option("--turns <COUNT>", "turns with reloads, each between two without", positiveInteger, 2)
  .option("--seconds <SECONDS>", "length of a turn", positiveNumber, 30)
  .option("--rate <PER_SECOND>", "requests a second", positiveNumber, 100)
  .option("--candidates <COUNT>", "candidates of a request", positiveInteger, 200)
  .option("--limit <COUNT>", "ranked items asked for", positiveInteger, 20)
  .option("--seed <NUMBER>", "draws the requests and the arrivals", wholeNumber, 1)
  .option("--json <FILE>", "save the reports as JSON (default: not)")
  .allowExcessArguments(false)
  .parse()
  .opts<{
    reloads: number;
    turns: number;
    seconds: number;
    rate: number;
    candidates: number;
    limit: number;
    seed: number;
    json?: string;
  }>();

const name = "home-control";
const folder = await mkdtemp(join(tmpdir(), "setlist-reload-"));
const repository = join(folder, "repository");
let published = 0;

async function publish(): Promise<string> {
  published += 1;
  await publishVersion(repository, name, published);
  return String(published);
}

async function stateOf(url: string, version: string): Promise<string | undefined> {
  const { versions } = (await (await fetch(`${url}/v1/models`)).json()) as {
    versions: { version: string; state: string }[];
  };
  return versions.find((one) => one.version === version)?.state;
}

/** A load, and the CPU that the server used meanwhile, ms. */
async function measured(pid: number, work: Promise<LoadReport>): Promise<[LoadReport, number]> {
  const before = treeProcessorMs(pid);
  const report = await work;
  return [report, treeProcessorMs(pid) - before];
}

async function reloads(url: string, count: number, seconds: number): Promise<number> {
  const began = performance.now();
  let served = 0;
  for (let index = 0; index < count; index++) {
    await delay(Math.max(0, began + (index * seconds * 1_000) / count - performance.now()));
    const version = await publish();
    const giveUpAt = performance.now() + 20_000;
    let state: string | undefined;
    do {
      await delay(50);
      state = await stateOf(url, version);
    } while (state !== "serving" && performance.now() < giveUpAt);
    if (state === "serving") served += 1;
    // What serves no longer is taken away, as whoever publishes would.
    if (published > 2) await rm(join(repository, name, String(published - 2)), { recursive: true });
  }
  return served;
}

try {
  await publish();
  await mkdir(join(folder, "experiments"));
  const config = join(folder, "setlist.yaml");
  await writeFile(
    config,
    `models: repository\nexperiments: experiments\nsurfaces: { home: { defaultModel: { name: ${name} }, timeoutMs: 2000 } }\n`,
  );
  const server = await startServerProcess({ dataDir: join(folder, "data"), flags: ["--config", config] });
  const url = `http://127.0.0.1:${server.httpPort}`;
  const requests = httpRankRequests(
    drawRankRequests({ ...worldSize(), ...flags, surface: "home" }, 2_000),
    url,
  );
  const target = httpTarget(url, 64);
  const load = (seconds: number, seed: number): Promise<LoadReport> =>
    runLoad({ target, requests, rate: flags.rate, seconds, arrivals: "poisson", seed });

  await load(Math.min(10, flags.seconds), flags.seed);
  const memoryMib = [residentMib(server.pid)];
  const [first, firstCpuMs] = await measured(server.pid, load(flags.seconds, flags.seed + 1));
  const quiet = [first];
  const busy: LoadReport[] = [];
  const used = { quiet: firstCpuMs, busy: 0 };
  let served = 0;
  for (let turn = 0; turn < flags.turns; turn++) {
    const count = Math.ceil((flags.reloads - served) / (flags.turns - turn));
    const [[report, cpu], came] = await Promise.all([
      measured(server.pid, load(flags.seconds, flags.seed + 2 + 2 * turn)),
      reloads(url, count, flags.seconds),
    ]);
    busy.push(report);
    used.busy += cpu;
    served += came;
    memoryMib.push(residentMib(server.pid));
    const [after, afterCpuMs] = await measured(server.pid, load(flags.seconds, flags.seed + 3 + 2 * turn));
    quiet.push(after);
    used.quiet += afterCpuMs;
  }
  memoryMib.push(residentMib(server.pid));
  target.close();
  const exitCode = await server.stop();

  const all = [...quiet, ...busy];
  const failed = all.reduce((sum, { scheduled, answered }) => sum + scheduled - answered, 0);
  const degraded = all.reduce((sum, report) => sum + report.degraded, 0);
  const p99 = { quiet: medianP99(quiet), busy: medianP99(busy) };
  const ratio = p99.busy / p99.quiet;
  const perRequest = used.quiet / answeredBy(quiet);
  const cpuMsPerReload = (used.busy - perRequest * answeredBy(busy)) / served;
  process.stdout.write(`without reloads\n${formatLoadTable(quiet)}with reloads\n${formatLoadTable(busy)}
${served} of ${published - 1} versions came to serve; failed requests ${failed}, degraded ${degraded}; the server ended with ${exitCode}
p99 (median of the turns): ${p99.quiet.toFixed(2)} ms without, ${p99.busy.toFixed(2)} ms with reloads, ratio ${ratio.toFixed(2)} (bar ${barRatio})
CPU of a reload, beyond the requests': ${cpuMsPerReload.toFixed(0)} ms
resident memory, MiB: ${memoryMib.map((mib) => mib.toFixed(0)).join(", ")} (warm, after each turn with reloads, at the end)\n`);
  saveJson(flags.json, {
    flags,
    served,
    failed,
    degraded,
    p99,
    ratio,
    cpuMsPerReload,
    memoryMib,
    quiet,
    busy,
  });
  // A busy machine degrades answers in either kind of turn: they are told, and no failure.
  const isGood = failed === 0 && ratio <= barRatio && served === flags.reloads;
  if (!isGood || exitCode !== 0) process.exitCode = 1;
} finally {
  await rm(folder, { recursive: true, force: true });
}

function answeredBy(reports: readonly LoadReport[]): number {
  return reports.reduce((sum, { answered }) => sum + answered, 0);
}

function medianP99(reports: readonly LoadReport[]): number {
  return median(reports.map(({ latencyMs }) => latencyMs.p99));
}

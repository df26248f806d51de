/**
 * `npm run loadtest:overload`: what a server of its own does with several times the load that it can serve, open loop:
 * the goodput that is left, the latency of what was answered, its memory, and how soon it is well again.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { Command } from "commander";
import { startServerProcess } from "../src/app/server-process.ts";
import { positiveInteger, positiveNumber } from "../src/cli/argument.ts";
import { httpTarget } from "./http-target.ts";
import { type LoadReport, runLoad } from "./load-run.ts";
import { formatOverload, type OverloadReport, recoveredAfter } from "./overload-report.ts";
import { residentMib } from "./process-figures.ts";
import { drawRankRequests, httpRankRequests } from "./rank-requests.ts";
import { worldSize } from "./world-size.ts";

const flags = new Command("loadtest:overload")
  .description("Goodput, latency, memory and recovery at several times the load that a server can serve.")
  .option("--times <n>", "of the load with the highest goodput", positiveNumber, 5)
  .option("--seconds <n>", "length of the overload", positiveNumber, 60)
  .option("--candidates <n>", "candidates of a request", positiveInteger, 200)
  .option(
    "--connections <n>",
    "connections; a request that finds none free waits, and its wait counts",
    positiveInteger,
    512,
  )
  .option("--json", "print the report as JSON")
  .allowExcessArguments(false)
  .parse()
  .opts<{ times: number; seconds: number; candidates: number; connections: number; json?: boolean }>();

/** Rates a second that are tried for the highest goodput, while it still rises. */
const rates = [1_000, 1_500, 2_000, 3_000, 4_000, 5_000, 6_500, 8_000, 10_000, 12_000];
const stepSeconds = 2;
/** Light enough for any server that did well before; in slices short enough to see when it is well again. */
const lightShare = 0.2;
const sliceSeconds = 0.5;
const slices = 8;

const folder = await mkdtemp(join(tmpdir(), "setlist-overload-"));
await using opened = new AsyncDisposableStack();
opened.defer(() => rm(folder, { recursive: true, force: true }));
const server = opened.adopt(await startServerProcess({ dataDir: folder }), (it) => it.stop().then(() => {}));
const url = `http://127.0.0.1:${server.httpPort}`;
const { candidates, connections } = flags;
const shape = { ...worldSize(), seed: 1, surface: "home", candidates, limit: Math.min(20, candidates) };
const requests = httpRankRequests(drawRankRequests(shape, 500), url);
const target = opened.adopt(httpTarget(url, connections), (it) => it.close());
const run = (rate: number, seconds: number): Promise<LoadReport> =>
  runLoad({ target, requests, rate, seconds, arrivals: "poisson", seed: 1 });

const memoryMiB = (): number => residentMib(server.pid);

process.stderr.write("warming up …\n");
await run(1_000, 4);
let peak = await run(rates[0] as number, stepSeconds);
for (const rate of rates.slice(1)) {
  await delay(500);
  const report = await run(rate, stepSeconds);
  process.stderr.write(`${rate}/s offered: ${Math.round(report.timelyRate)}/s within 50 ms\n`);
  if (report.timelyRate > peak.timelyRate) peak = report;
  else if (report.timelyRate < peak.timelyRate * 0.8) break;
}
await delay(1_000);
const light = await run(peak.offeredRate * lightShare, 2);
const memoryBefore = memoryMiB();
process.stderr.write(`${flags.times} times ${Math.round(peak.offeredRate)}/s for ${flags.seconds} s …\n`);
const middle = delay((flags.seconds * 1_000) / 2).then(memoryMiB);
const overload = await run(peak.offeredRate * flags.times, flags.seconds);
const [memoryMiddle, memoryAfter] = [await middle, memoryMiB()];
const after: LoadReport[] = [];
for (let slice = 0; slice < slices; slice++)
  after.push(await run(peak.offeredRate * lightShare, sliceSeconds));

const report: OverloadReport = {
  times: flags.times,
  seconds: flags.seconds,
  peak,
  light,
  overload,
  recoveredAfterSeconds: recoveredAfter(after, light, sliceSeconds),
  memoryMiB: { before: memoryBefore, middle: memoryMiddle, after: memoryAfter },
};
process.stdout.write(flags.json === true ? `${JSON.stringify(report, null, 2)}\n` : formatOverload(report));

/**
 * `npm run loadtest:overload`: what a server of its own does with several times the load that it can serve, open loop:
 * the goodput that is left, the latency of what was answered, its memory, and how soon it is well again.
 */
import { setTimeout as delay } from "node:timers/promises";
import { Command } from "commander";
import { positiveInteger, positiveNumber } from "../src/cli/argument.ts";
import { findHighestRate } from "./find-max.ts";
import { httpTarget } from "./http-target.ts";
import { sustainedBound } from "./load-curve.ts";
import { type LoadReport, runLoad } from "./load-run.ts";
import { formatOverload, type OverloadReport, recoveredAfter } from "./overload-report.ts";
import { startOwnServer } from "./own-server.ts";
import { residentMib } from "./process-figures.ts";
import { drawRankRequests, httpRankRequests } from "./rank-requests.ts";
import { saveJson } from "./save-json.ts";
import { scratchFolder } from "./scratch-folder.ts";
import { worldSize } from "./world-size.ts";

const flags = new Command("loadtest:overload")
  .description(
    "Measure goodput, latency, memory and recovery at several times the load that a server can serve.",
  )
  .option("--times <COUNT>", "of the highest load that is sustained", positiveNumber, 5)
  .option("--seconds <COUNT>", "length of the overload", positiveNumber, 60)
  .option("--candidates <COUNT>", "candidates of a request", positiveInteger, 200)
  .option(
    "--connections <COUNT>",
    "connections; a request that finds none free waits, and its wait counts",
    positiveInteger,
    1_024,
  )
  .option(
    "--patience-ms <COUNT>",
    "how long it waits for one before it is given up, unsent",
    positiveNumber,
    10,
  )
  .option("--json <FILE>", "save the report as JSON (default: not)")
  .allowExcessArguments(false)
  .parse()
  .opts<{
    times: number;
    seconds: number;
    candidates: number;
    connections: number;
    patienceMs: number;
    json?: string;
  }>();

/** The capacity is searched from here, requests a second. */
const firstRate = 1_000;
const stepSeconds = 3;
/** Light enough for any server that did well before; in slices short enough to see when it is well again. */
const lightShare = 0.2;
const sliceSeconds = 0.5;
const slices = 8;

await using opened = new AsyncDisposableStack();
const folder = await scratchFolder("overload", opened);
const server = await startOwnServer(opened, { dataDir: folder });
const url = `http://127.0.0.1:${server.httpPort}`;
const { candidates, connections } = flags;
const shape = { ...worldSize(), seed: 1, surface: "home", candidates, limit: Math.min(20, candidates) };
const requests = httpRankRequests(drawRankRequests(shape, 500), url);
const target = opened.adopt(httpTarget(url, connections, flags.patienceMs), (it) => it.close());
const run = (rate: number, seconds: number): Promise<LoadReport> =>
  runLoad({ target, requests, rate, seconds, arrivals: "poisson", seed: 1 });

const memoryMiB = (): number => residentMib(server.pid);

process.stderr.write("warming up …\n");
await run(1_000, 4);
const { best: capacity } = await findHighestRate(
  async (rate) => {
    await delay(500);
    return run(rate, stepSeconds);
  },
  sustainedBound,
  firstRate,
  ({ offeredRate, goodRate }, sustained) =>
    process.stderr.write(
      `${Math.round(offeredRate)}/s offered: ${Math.round(goodRate)}/s whole within 50 ms${sustained ? "" : ", not sustained"}\n`,
    ),
);
if (capacity === undefined)
  throw new Error("no rate is sustained: the machine is too busy to measure an overload");
await delay(1_000);
const light = await run(capacity.offeredRate * lightShare, 2);
const memoryBefore = memoryMiB();
process.stderr.write(`${flags.times} times ${Math.round(capacity.offeredRate)}/s for ${flags.seconds} s …\n`);
const middle = delay((flags.seconds * 1_000) / 2).then(memoryMiB);
const overload = await run(capacity.offeredRate * flags.times, flags.seconds);
const [memoryMiddle, memoryAfter] = [await middle, memoryMiB()];
const after: LoadReport[] = [];
for (let slice = 0; slice < slices; slice++)
  after.push(await run(capacity.offeredRate * lightShare, sliceSeconds));

const report: OverloadReport = {
  times: flags.times,
  seconds: flags.seconds,
  capacity,
  light,
  overload,
  recoveredAfterSeconds: recoveredAfter(after, light, sliceSeconds),
  memoryMiB: { before: memoryBefore, middle: memoryMiddle, after: memoryAfter },
};
process.stdout.write(formatOverload(report));
saveJson(flags.json, report);

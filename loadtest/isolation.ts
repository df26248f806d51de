/**
 * `npm run loadtest:isolation`: what inference in a process of its own costs over inference in a thread. Two servers of
 * our own that differ in `inference.isolation` alone are loaded in turns, by the same client; each ratio is the median
 * over the rounds, for both sides of one ran within the same seconds. Then the inference process is killed under load,
 * again and again: how long until an answer is scored, and whether any request failed. Linux only.
 */
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import Table from "cli-table3";
import { Command } from "commander";
import type { ServerProcess } from "../src/app/server-process.ts";
import { positiveInteger, positiveNumber, wholeNumber } from "../src/cli/argument.ts";
import { type Isolation, isolations } from "../src/domain/isolation.ts";
import { childrenOf } from "../src/telemetry/child-processes.ts";
import { startAskedProcess } from "./asked-process.ts";
import { median } from "./bench-ratios.ts";
import type { ClosedLoopOrder, ClosedLoopResult } from "./closed-loop-client.ts";
import { startOwnServer } from "./own-server.ts";
import { proportionalMib, treeProcessorMs } from "./process-figures.ts";
import { drawRankRequests } from "./rank-requests.ts";
import { scratchFolder } from "./scratch-folder.ts";
import { worldSize } from "./world-size.ts";

const flags = new Command("loadtest:isolation")
  .description(
    "Measure inference in a process against inference in a thread: throughput, latency, processor time; crashes.",
  )
  .option("--rounds <COUNT>", "turns of each side, for each load", positiveInteger, 5)
  .option("--seconds <SECONDS>", "length of a turn", positiveNumber, 4)
  .option("--crashes <COUNT>", "times that the inference process is killed under load", wholeNumber, 10)
  .allowExcessArguments(false)
  .parse()
  .opts<{ rounds: number; seconds: number; crashes: number }>();

const loads = [
  { candidates: 200, inFlight: 32 },
  { candidates: 10, inFlight: 16 },
  { candidates: 200, inFlight: 1 },
];

await using opened = new AsyncDisposableStack();
const folder = await scratchFolder("isolation", opened);
const client = opened.adopt(await startAskedProcess("closed-loop-client.ts"), (it) => it.close());
const servers = {} as Record<Isolation, ServerProcess>;
for (const isolation of isolations) {
  process.env["SETLIST_INFERENCE_ISOLATION"] = isolation;
  servers[isolation] = await startOwnServer(opened, { dataDir: join(folder, isolation) });
}

/** One turn of one side. */
interface Turn {
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Of the server's processes, for a request. */
  readonly processorUs: number;
}

const addressOf = ({ httpPort }: ServerProcess): string => `http://127.0.0.1:${httpPort}`;

function orderFor(server: ServerProcess, load: (typeof loads)[number], seconds: number): ClosedLoopOrder {
  return { protocol: "http", address: addressOf(server), limit: 20, seconds, ...load };
}

async function turn(isolation: Isolation, load: (typeof loads)[number]): Promise<Turn> {
  const server = servers[isolation];
  const before = treeProcessorMs(server.pid);
  const result = await client.ask<ClosedLoopResult>(orderFor(server, load, flags.seconds));
  const tookMs = treeProcessorMs(server.pid) - before;
  const answers = result.requestsPerSecond * flags.seconds + result.degraded;
  const failed = Object.keys(result.errors).length > 0;
  if (failed) throw new Error(`${isolation}: ${JSON.stringify(result.errors)}`);
  return {
    perSecond: result.requestsPerSecond,
    p50Ms: result.p50Ms,
    p99Ms: result.p99Ms,
    processorUs: (1_000 * tookMs) / answers,
  };
}

const table = new Table({
  head: ["load", "", ...isolations, "process/thread"],
  colAligns: ["left", "left", "right", "right", "right"],
});
for (const load of loads) {
  process.stderr.write(`${load.candidates} candidates, ${load.inFlight} connections …\n`);
  for (const isolation of isolations) await turn(isolation, load);
  const rounds: Record<Isolation, Turn>[] = [];
  for (let round = 0; round < flags.rounds; round++) {
    const order = round % 2 === 0 ? isolations : isolations.toReversed();
    const turns = {} as Record<Isolation, Turn>;
    for (const isolation of order) turns[isolation] = await turn(isolation, load);
    rounds.push(turns);
  }
  const row = (name: string, of: (one: Turn) => number, digits: number): void => {
    const middle = (isolation: Isolation) => median(rounds.map((one) => of(one[isolation]))).toFixed(digits);
    const ratio = median(rounds.map((one) => of(one.process) / of(one.thread)));
    const label = `${load.candidates} x ${load.inFlight}`;
    table.push([label, name, middle("thread"), middle("process"), ratio.toFixed(3)]);
  };
  row("requests a second", ({ perSecond }) => perSecond, 0);
  row("p50 ms", ({ p50Ms }) => p50Ms, 3);
  row("p99 ms", ({ p99Ms }) => p99Ms, 2);
  row("processor us a request", ({ processorUs }) => processorUs, 1);
}
process.stdout.write(`candidates x connections, medians of ${flags.rounds} turns of ${flags.seconds} s\n`);
process.stdout.write(`${table}\n`);
for (const isolation of isolations) {
  const { pid } = servers[isolation];
  const memory = [pid, ...childrenOf(pid)].map((one) => `${proportionalMib(one).toFixed(0)} MiB`);
  process.stdout.write(`memory, ${isolation}: ${memory.join(" + ")}\n`);
}
if (flags.crashes > 0) await crash();

/** Kills the inference process while 16 connections ask for 200 candidates, and asks itself until it is scored again. */
async function crash(): Promise<void> {
  const server = servers.process;
  const seconds = flags.crashes + 1;
  const loading = client.ask<ClosedLoopResult>(orderFor(server, { candidates: 200, inFlight: 16 }, seconds));
  const [body] = drawRankRequests(
    { ...worldSize(), seed: 2, surface: "home", candidates: 200, limit: 20 },
    1,
  );
  const waits: number[] = [];
  await delay(500);
  for (let time = 0; time < flags.crashes; time++) {
    const began = performance.now();
    for (const pid of childrenOf(server.pid)) process.kill(pid, "SIGSEGV");
    let degraded = await degradedOf(addressOf(server), body);
    // The first may have been answered before the death was there.
    while (performance.now() - began < 20 || degraded.length > 0)
      degraded = await degradedOf(addressOf(server), body);
    waits.push(performance.now() - began);
    await delay(Math.max(0, 1_000 - (performance.now() - began)));
  }
  const { errors, degraded } = await loading;
  waits.sort((one, other) => one - other);
  process.stdout.write(
    `${flags.crashes} crashes under load: scored again after ${median(waits).toFixed(0)} ms (largest ${waits.at(-1)?.toFixed(0)}); errors ${JSON.stringify(errors)}, degraded answers ${degraded}\n`,
  );
}

async function degradedOf(address: string, body: object | undefined): Promise<readonly string[]> {
  const response = await fetch(`${address}/v1/rank`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ ...body, timeoutMs: 1_000 }),
  });
  const answer = (await response.json()) as { degraded: readonly string[] };
  return answer.degraded.filter((reason) => !reason.startsWith("defaults"));
}

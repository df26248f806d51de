/**
 * `npm run loadtest:processes`: what more processes behind the same ports bring. A server for each number of processes
 * is loaded in turns, closed loop, by several generators, so that what is measured is the servers as long as no generator
 * is busy all the time: the table says how busy they are. Linux only.
 */
import { availableParallelism, loadavg } from "node:os";
import { join } from "node:path";
import { Command } from "commander";
import { startServerProcess } from "../src/app/server-process.ts";
import { positiveInteger, positiveNumber } from "../src/cli/argument.ts";
import { childrenOf } from "../src/telemetry/child-processes.ts";
import { startAskedProcess } from "./asked-process.ts";
import { machineOf } from "./bench-report.ts";
import type { ClosedLoopOrder, ClosedLoopResult } from "./closed-loop-client.ts";
import { residentMib, treeProcessorMs } from "./process-figures.ts";
import { formatProcesses, type ProcessesTurn, processesRowOf } from "./processes-report.ts";
import { saveJson } from "./save-json.ts";
import { scratchFolder } from "./scratch-folder.ts";

const flags = new Command("loadtest:processes")
  .description("Measure throughput and latency by the number of processes that answer.")
  .option(
    "--processes <COUNT...>",
    "numbers of processes (default: 1 2, and so on to half of the hardware threads)",
    (value, all: number[] | undefined) => [...(all ?? []), positiveInteger(value)],
  )
  .option("--generators <COUNT>", "processes that load (default: a quarter of the threads)", positiveInteger)
  .option("--connections <COUNT>", "of all generators together", positiveInteger, 64)
  .option("--rounds <COUNT>", "turns of each server, for each load", positiveInteger, 3)
  .option("--seconds <SECONDS>", "length of a turn", positiveNumber, 3)
  .option("--json <FILE>", "save the figures as JSON (default: not)")
  .allowExcessArguments(false)
  .parse()
  .opts<{
    processes?: number[];
    generators?: number;
    connections: number;
    rounds: number;
    seconds: number;
    json?: string;
  }>();

const threads = availableParallelism();
/** Each process answers on one thread and scores on another. */
const doublings = Array.from({ length: 8 }, (_, power) => 2 ** power).filter(
  (count) => count === 1 || count <= threads / 2,
);
const counts = flags.processes ?? doublings;
const generators = Math.min(flags.generators ?? Math.max(1, threads >> 2), flags.connections);
const candidateCounts = [200, 10];

const loadBefore = loadavg()[0] ?? 0;
await using opened = new AsyncDisposableStack();
const folder = await scratchFolder("processes", opened);
const clients = await Promise.all(
  Array.from({ length: generators }, async () =>
    opened.adopt(await startAskedProcess("closed-loop-client.ts"), (it) => it.close()),
  ),
);
const clientPids = childrenOf(process.pid);
const servers: { processes: number; pid: number; url: string }[] = [];
for (const processes of counts) {
  process.stderr.write(`starting ${processes} …\n`);
  const server = opened.adopt(
    await startServerProcess({
      dataDir: join(folder, String(processes)),
      flags: ["--processes", String(processes)],
      readyMsMax: 120_000,
    }),
    (it) => it.stop().then(() => undefined),
  );
  servers.push({ processes, pid: server.pid, url: `http://127.0.0.1:${server.httpPort}` });
}

async function turn(
  { pid, url }: (typeof servers)[number],
  candidates: number,
  seconds: number,
): Promise<ProcessesTurn> {
  const before = { server: treeProcessorMs(pid), clients: clientPids.map(treeProcessorMs) };
  const began = performance.now();
  const results = await Promise.all(
    clients.map((client, place) => {
      const share = Math.ceil((flags.connections - place) / generators);
      const order: ClosedLoopOrder = {
        protocol: "http",
        address: url,
        inFlight: share,
        candidates,
        limit: Math.min(20, candidates),
        seconds,
      };
      return client.ask<ClosedLoopResult>(order);
    }),
  );
  const tookMs = performance.now() - began;
  const busy = clientPids.map((client, place) => treeProcessorMs(client) - (before.clients[place] ?? 0));
  return {
    results,
    serverCores: (treeProcessorMs(pid) - before.server) / tookMs,
    busiestGenerator: Math.max(...busy) / tookMs,
  };
}

const rows = [];
for (const candidates of candidateCounts) {
  process.stderr.write(`${candidates} candidates …\n`);
  const turns = new Map<number, ProcessesTurn[]>(counts.map((count) => [count, []]));
  for (const server of servers) await turn(server, candidates, Math.min(2, flags.seconds));
  for (let round = 0; round < flags.rounds; round++) {
    for (const server of round % 2 === 0 ? servers : servers.toReversed()) {
      turns.get(server.processes)?.push(await turn(server, candidates, flags.seconds));
    }
  }
  for (const { processes, pid } of servers) {
    rows.push(processesRowOf({ processes, candidates }, turns.get(processes) ?? [], residentMib(pid)));
  }
}
const report = {
  rows,
  connections: flags.connections,
  generators,
  rounds: flags.rounds,
  seconds: flags.seconds,
  machine: machineOf(loadBefore),
  at: new Date().toISOString(),
};
process.stdout.write(formatProcesses(report));
saveJson(flags.json, report);

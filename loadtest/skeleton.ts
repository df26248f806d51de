/**
 * `npm run loadtest:skeleton`: how much of what a small request costs is Setlist, and how much is HTTP, JSON and a process
 * that infers. Setlist, the plain server and skeletons that do nothing but the latter are loaded in turns by the same
 * client; each ratio is the median over the rounds.
 */
import Table from "cli-table3";
import { Command } from "commander";
import { positiveInteger, positiveNumber } from "../src/cli/argument.ts";
import { counted } from "../src/domain/number-text.ts";
import { startAskedProcess, startPortProcess } from "./asked-process.ts";
import { median } from "./bench-ratios.ts";
import type { ClosedLoopOrder, ClosedLoopResult } from "./closed-loop-client.ts";
import { startContestant } from "./contestants.ts";

const flags = new Command("loadtest:skeleton")
  .description(
    "Measure Setlist, the plain server, and servers that only move requests between HTTP and a process.",
  )
  .option("--rounds <COUNT>", "turns of each server", positiveInteger, 5)
  .option("--seconds <SECONDS>", "length of a turn", positiveNumber, 2)
  .option("--candidates <COUNT>", "candidates of a request", positiveInteger, 10)
  .option("--connections <COUNT>", "connections", positiveInteger, 16)
  .option(
    "--inference <MICROSECONDS>",
    "microseconds of inference a request of the second skeleton",
    positiveNumber,
    12,
  )
  .allowExcessArguments(false)
  .parse()
  .opts<{ rounds: number; seconds: number; candidates: number; connections: number; inference: number }>();

await using opened = new AsyncDisposableStack();
const client = opened.adopt(await startAskedProcess("closed-loop-client.ts"), (it) => it.close());
const skeleton = async (inferenceUs: number): Promise<string> => {
  const server = await startPortProcess("skeleton-server.ts", [String(inferenceUs)]);
  return `http://127.0.0.1:${opened.adopt(server, (it) => it.close()).httpPort}`;
};
const addresses = new Map([
  ["plain", await startContestant("plain", opened)],
  ["Setlist", await startContestant("setlist", opened)],
  [`skeleton, ${flags.inference} us of inference`, await skeleton(flags.inference)],
  ["skeleton, no inference", await skeleton(0)],
]);

async function turn(address: string): Promise<number> {
  const { candidates, connections, seconds } = flags;
  const order: ClosedLoopOrder = {
    protocol: "http",
    address,
    inFlight: connections,
    candidates,
    limit: 20,
    seconds,
  };
  const { requestsPerSecond, errors } = await client.ask<ClosedLoopResult>(order);
  if (Object.keys(errors).length > 0) throw new Error(`${address}: ${JSON.stringify(errors)}`);
  return requestsPerSecond;
}

process.stderr.write("warming up …\n");
for (const address of addresses.values()) await turn(address);
const turns = new Map<string, number[]>([...addresses.keys()].map((name) => [name, []]));
for (let round = 0; round < flags.rounds; round++) {
  process.stderr.write(`round ${round + 1} of ${flags.rounds} …\n`);
  for (const [name, address] of addresses) turns.get(name)?.push(await turn(address));
}

const plain = turns.get("plain") ?? [];
const table = new Table({
  head: ["", "requests/s", "us a request", "over plain"],
  colAligns: ["left", "right", "right", "right"],
});
for (const [name, perSecond] of turns) {
  const middle = median(perSecond);
  const ratio = median(perSecond.map((one, round) => one / (plain[round] as number)));
  table.push([name, Math.round(middle), (1e6 / middle).toFixed(1), ratio.toFixed(2)]);
}
process.stdout.write(
  `${flags.candidates} candidates, ${flags.connections} connections, HTTP; medians of ${counted(flags.rounds, "turn")} of ${flags.seconds} s\n${table}\n`,
);

/**
 * `npm run loadtest:candidates`: latency of one connection by the number of candidates, and the straight line through
 * it: what a request costs whatever it asks for, and what each candidate adds. Takes 50 s.
 */
import { loadavg } from "node:os";
import { Command } from "commander";
import { positiveInteger, positiveNumber } from "../src/cli/argument.ts";
import { startAskedProcess } from "./asked-process.ts";
import { machineOf } from "./bench-report.ts";
import { type CandidatesRound, candidatesReportOf, formatCandidates } from "./candidates-report.ts";
import type { ClosedLoopOrder, ClosedLoopResult } from "./closed-loop-client.ts";
import { startContestant } from "./contestants.ts";
import { saveJson } from "./save-json.ts";

const counts = [10, 20, 50, 100, 200, 500, 1_000, 2_000];

const flags = new Command("loadtest:candidates")
  .description("Measure the latency of one connection by the number of candidates, and the line through it.")
  .option("--rounds <COUNT>", "rounds, each of all counts in turn", positiveInteger, 5)
  .option("--seconds <SECONDS>", "length of a measurement", positiveNumber, 1)
  .option("--limit <COUNT>", "ranked items asked for", positiveInteger, 20)
  .option("--json <FILE>", "save the figures as JSON (default: not)")
  .allowExcessArguments(false)
  .parse()
  .opts<{ rounds: number; seconds: number; limit: number; json?: string }>();

const loadBefore = loadavg()[0] ?? 0;
await using opened = new AsyncDisposableStack();
const client = opened.adopt(await startAskedProcess("closed-loop-client.ts"), (it) => it.close());
const address = await startContestant("setlist", opened);

async function measure(candidates: number, seconds: number): Promise<ClosedLoopResult> {
  const order: ClosedLoopOrder = {
    protocol: "http",
    address,
    inFlight: 1,
    candidates,
    limit: Math.min(flags.limit, candidates),
    seconds,
  };
  return client.ask<ClosedLoopResult>(order);
}

// Touches every item of the committed world, for both arms of the running experiment.
await measure(2_000, 3);
for (const count of counts) await measure(count, 0.3);
const rounds: CandidatesRound[] = [];
for (let round = 1; round <= flags.rounds; round++) {
  process.stderr.write(`round ${round} of ${flags.rounds} …\n`);
  const results: [number, ClosedLoopResult][] = [];
  for (const count of counts) results.push([count, await measure(count, flags.seconds)]);
  rounds.push(results);
}
const report = candidatesReportOf(rounds, machineOf(loadBefore));
process.stdout.write(formatCandidates(report));
saveJson(flags.json, report);

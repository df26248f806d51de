/**
 * `npm run loadtest:profile`: where a rank request's processor time goes. A server with V8's sampling profiler on, HTTP
 * load of 200 candidates on 32 connections, and for the answering thread and the inference thread the microseconds of
 * a request that each file, package or native function took. The profiler itself costs about a fifth.
 */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import Table from "cli-table3";
import { Command } from "commander";
import { startServerProcess } from "../src/app/server-process.ts";
import { positiveInteger, positiveNumber } from "../src/cli/argument.ts";
import { startAskedProcess } from "./asked-process.ts";
import type { ClosedLoopOrder, ClosedLoopResult } from "./closed-loop-client.ts";
import { type CpuProfile, costs } from "./profile-costs.ts";
import { scratchFolder } from "./scratch-folder.ts";

const flags = new Command("loadtest:profile")
  .description("Say where a rank request's processor time goes, by file, package and native function.")
  .option("--seconds <COUNT>", "length of the load that is looked at", positiveNumber, 6)
  .option("--candidates <COUNT>", "candidates of a request", positiveInteger, 200)
  .option("--connections <COUNT>", "connections", positiveInteger, 32)
  .allowExcessArguments(false)
  .parse()
  .opts<{ seconds: number; candidates: number; connections: number }>();

await using opened = new AsyncDisposableStack();
const folder = await scratchFolder("profile", opened);
process.env["NODE_OPTIONS"] = `--cpu-prof --cpu-prof-interval 250 --cpu-prof-dir=${folder}`;
// A profile has no wall clock of its own: it has to end when the server is told to.
process.env["SETLIST_DRAIN_DELAY_MS"] = "0";
const server = await startServerProcess({ dataDir: join(folder, "data") });
delete process.env["NODE_OPTIONS"];
const client = opened.adopt(await startAskedProcess("closed-loop-client.ts"), (it) => it.close());

const { candidates, connections, seconds } = flags;
const order: ClosedLoopOrder = {
  protocol: "http",
  address: `http://127.0.0.1:${server.httpPort}`,
  inFlight: connections,
  candidates,
  limit: Math.min(20, candidates),
  seconds,
};
process.stderr.write("warming up …\n");
await client.ask<ClosedLoopResult>(order);
process.stderr.write("measuring …\n");
const began = performance.timeOrigin + performance.now();
const { requestsPerSecond } = await client.ask<ClosedLoopResult>(order);
const window = { from: began + 200, to: performance.timeOrigin + performance.now() - 200 };
const requests = (requestsPerSecond * (window.to - window.from)) / 1_000;
const stopped = Date.now();
await server.stop();

process.stdout.write(
  `${Math.round(requestsPerSecond)} requests a second of ${candidates} candidates, profiled\n`,
);
const files = (await readdir(folder)).filter((name) => name.endsWith(".cpuprofile")).sort();
for (const file of files) {
  const profile = JSON.parse(await readFile(join(folder, file), "utf8")) as CpuProfile;
  const { total, parts } = costs(profile, window, stopped);
  const each = (microseconds: number): string => (microseconds / requests).toFixed(1);
  const table = new Table({
    head: ["us a request", "share", "where"],
    colAligns: ["right", "right", "left"],
  });
  for (const { name, microseconds } of parts.slice(0, 22)) {
    table.push([each(microseconds), `${((100 * microseconds) / total).toFixed(0)} %`, name]);
  }
  const thread = parts[0]?.name.includes("onnxruntime") ? "inference thread" : "answering thread";
  process.stdout.write(`${thread}: ${each(total)} us a request\n${table}\n`);
}

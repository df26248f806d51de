/**
 * `npm run loadtest:soak`: a server of our own under steady open-loop load with outcomes, its resident memory sampled
 * all the while.
 */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command } from "commander";
import { startServerProcess } from "../src/app/server-process.ts";
import { positiveInteger, positiveNumber, wholeNumber } from "../src/cli/argument.ts";
import { httpTarget } from "./http-target.ts";
import { drawLinePlot } from "./line-plot.ts";
import { runLoad } from "./load-run.ts";
import { formatLoadTable } from "./load-table.ts";
import { summariseMemory } from "./memory-trend.ts";
import { sendOutcomesBeside } from "./outcome-load.ts";
import { residentMib } from "./process-figures.ts";
import { drawRankRequests, httpRankRequests } from "./rank-requests.ts";
import { worldSize } from "./world-size.ts";

const flags = new Command("loadtest:soak")
  .description("Load a server steadily for minutes, and say what that does to its memory.")
  .option("--minutes <MINUTES>", "length", positiveNumber, 10)
  .option("--rate <PER_SECOND>", "requests a second", positiveNumber, 100)
  .option("--candidates <COUNT>", "candidates of a request", positiveInteger, 200)
  .option("--limit <COUNT>", "ranked items asked for", positiveInteger, 20)
  .option("--sample <SECONDS>", "between two looks at the memory", positiveNumber, 5)
  .option("--seed <NUMBER>", "draws the requests and the arrivals", wholeNumber, 1)
  .option("--json <FILE>", "save the samples and the load's report as JSON (default: not)")
  .option("--plot <FILE>", "save memory over time, as SVG (default: not)")
  .allowExcessArguments(false)
  .parse()
  .opts<{
    minutes: number;
    rate: number;
    candidates: number;
    limit: number;
    sample: number;
    seed: number;
    json?: string;
    plot?: string;
  }>();

const dataDir = await mkdtemp(join(tmpdir(), "setlist-soak-"));
try {
  const server = await startServerProcess({ dataDir });
  const url = `http://127.0.0.1:${server.httpPort}`;
  const bodies = drawRankRequests({ ...worldSize(), ...flags, surface: "home" }, 2_000);
  const { target, finish } = sendOutcomesBeside(httpTarget(url, 64), url);
  const start = performance.now();
  const samples: [number, number][] = [];

  function sample(): void {
    samples.push([(performance.now() - start) / 60_000, residentMib(server.pid)]);
  }

  sample();
  const timer = setInterval(() => sample(), flags.sample * 1_000);
  const requests = httpRankRequests(bodies, url);
  const load = { target, requests, rate: flags.rate, seconds: flags.minutes * 60, seed: flags.seed };
  const report = await runLoad({ ...load, arrivals: "poisson" });
  clearInterval(timer);
  sample();
  const outcomes = await finish();
  target.close();
  const exitCode = await server.stop();

  const memory = summariseMemory(samples);
  process.stdout.write(`${formatLoadTable([report])}${outcomes}; the server ended with ${exitCode}
resident memory, MiB: start ${memory.start.toFixed(0)}, end ${memory.end.toFixed(0)}, peak ${memory.peak.toFixed(0)}; second half ${memory.secondHalfPerMinute.toFixed(2)} a minute\n`);
  if (flags.json !== undefined) {
    await writeFile(flags.json, `${JSON.stringify({ flags, memory, samples, report }, null, 2)}\n`);
  }
  if (flags.plot !== undefined) {
    const svg = drawLinePlot({
      title: "Resident memory of the server under steady load",
      subtitle: `${flags.rate} requests a second of ${flags.candidates} candidates, with outcomes`,
      x: { label: "minutes", scale: "linear" },
      y: { label: "MiB", scale: "linear" },
      series: [{ name: "RSS", points: samples }],
    });
    await writeFile(flags.plot, svg);
  }
  if (exitCode !== 0) process.exitCode = 1;
} finally {
  await rm(dataDir, { recursive: true, force: true });
}

/**
 * `npm run loadtest:curve`: open-loop steps from light load to twice the capacity, for Setlist, the plain server and
 * FastAPI in turns; a table, one picture, and the figures as JSON. Takes about 4 minutes.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { loadavg } from "node:os";
import { Command } from "commander";
import { positiveInteger, positiveNumber } from "../src/cli/argument.ts";
import { startAskedProcess } from "./asked-process.ts";
import { machineOf } from "./bench-report.ts";
import { type ServerName, serverNames } from "./bench-scenarios.ts";
import type { ClosedLoopResult } from "./closed-loop-client.ts";
import { startContestant } from "./contestants.ts";
import { type CurveReport, drawCurves, formatCurves } from "./curve-report.ts";
import { isFastapiReady } from "./fastapi/fastapi-server.ts";
import { runForTail } from "./find-max.ts";
import { httpTarget } from "./http-target.ts";
import { highestSustained, type LoadCurve, loadCurveOf, loadShares } from "./load-curve.ts";
import { type LoadReport, runLoad } from "./load-run.ts";
import { drawRankRequests, httpRankRequests } from "./rank-requests.ts";
import { saveJson } from "./save-json.ts";
import { worldSize } from "./world-size.ts";

const distinctRequests = 500;
/** Past saturation users do not take turns: a generator with few connections would hide the queue from the server. */
const connections = 512;
/** Requests at a time of the closed loop that finds the capacity: enough that the server never waits for one. */
const capacityInFlight = 32;
/** Longer than the backlog of the last step takes, so that the next one starts with an idle server. */
const pauseMs = 300;

const flags = new Command("loadtest:curve")
  .description(
    "Measure latency and goodput against load, to twice the capacity: Setlist, the plain server, FastAPI.",
  )
  .option("--seconds <SECONDS>", "length of a step", positiveNumber, 4)
  .option("--candidates <COUNT>", "candidates of a request", positiveInteger, 200)
  .option("--limit <COUNT>", "ranked items asked for", positiveInteger, 20)
  .option("--servers <NAME...>", "who takes part", Object.keys(serverNames))
  .option(
    "--with <FILE>",
    "draw the others' curves from an earlier --json, where it is there (default: none)",
  )
  .option("--json <FILE>", "save the figures as JSON (default: not)")
  .option("--plot <FILE>", "save the picture, as SVG (default: not)")
  .allowExcessArguments(false)
  .parse()
  .opts<{
    seconds: number;
    candidates: number;
    limit: number;
    servers: string[];
    with?: string;
    json?: string;
    plot?: string;
  }>();

const unknown = flags.servers.find((name) => !Object.hasOwn(serverNames, name));
if (unknown !== undefined) {
  process.stderr.write(`--servers: no server ${unknown}; there are ${Object.keys(serverNames).join(", ")}\n`);
  process.exit(2);
}
const wanted = flags.servers as ServerName[];
const leftOut =
  wanted.includes("fastapi") && !(await isFastapiReady())
    ? ["FastAPI was left out: its environment is not there; npm run bench -- --fastapi makes it."]
    : [];
for (const sentence of leftOut) process.stderr.write(`${sentence}\n`);
const taking = leftOut.length === 0 ? wanted : wanted.filter((name) => name !== "fastapi");

interface Contestant {
  readonly server: ServerName;
  readonly capacity: number;
  readonly step: (rate: number, seconds: number) => Promise<LoadReport>;
  readonly reports: LoadReport[];
}

const loadBefore = loadavg()[0] ?? 0;
const { candidates, limit, seconds } = flags;
const bodies = drawRankRequests(
  { ...worldSize(), seed: 1, surface: "home", candidates, limit },
  distinctRequests,
);
await using opened = new AsyncDisposableStack();
const client = opened.adopt(await startAskedProcess("closed-loop-client.ts"), (it) => it.close());

async function contestant(server: ServerName): Promise<Contestant> {
  const url = await startContestant(server, opened);
  const order = { protocol: "http", address: url, inFlight: capacityInFlight, candidates, limit } as const;
  await client.ask<ClosedLoopResult>({ ...order, seconds: 1 });
  const { requestsPerSecond } = await client.ask<ClosedLoopResult>({ ...order, seconds: 1.5 });
  const requests = httpRankRequests(bodies, url);
  return {
    server,
    capacity: requestsPerSecond,
    reports: [],
    async step(rate, secondsEach) {
      // New connections each time: what an overloaded server still owes to the last step is none of this one's.
      const target = httpTarget(url, connections);
      const report = await runLoad({
        target,
        requests,
        rate,
        seconds: secondsEach,
        arrivals: "poisson",
        seed: 1,
      });
      target.close();
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
      return report;
    },
  };
}

const contestants: Contestant[] = [];
for (const server of taking) {
  const one = await contestant(server);
  process.stderr.write(
    `${serverNames[server]}: ${one.capacity.toFixed(0)}/s with ${capacityInFlight} in flight\n`,
  );
  contestants.push(one);
}
for (const share of loadShares) {
  process.stderr.write(`${share} of the capacity …\n`);
  for (const { capacity, reports, step } of contestants) reports.push(await step(share * capacity, seconds));
}
const measured: LoadCurve[] = [];
for (const one of contestants) {
  const best = highestSustained(one.reports);
  const half =
    best === undefined ? undefined : await runForTail(() => one.step(best.offeredRate / 2, seconds));
  measured.push(loadCurveOf({ ...one, loadBefore }, one.reports, half));
}

const earlier =
  flags.with !== undefined && existsSync(flags.with)
    ? (JSON.parse(readFileSync(flags.with, "utf8")) as CurveReport).curves
    : [];
const curves = (Object.keys(serverNames) as ServerName[]).flatMap(
  (name) =>
    measured.find(({ server }) => server === name) ?? earlier.find(({ server }) => server === name) ?? [],
);
const report: CurveReport = {
  curves,
  candidates,
  limit,
  secondsAStep: seconds,
  leftOut,
  machine: machineOf(loadBefore),
};
process.stdout.write(formatCurves(report));
saveJson(flags.json, report);
if (flags.plot !== undefined) writeFileSync(flags.plot, drawCurves(report));

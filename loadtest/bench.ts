/**
 * `npm run bench`: ONNX Runtime alone, Setlist over HTTP and gRPC, and a plain server, in one run and in turns, as
 * ratios. FastAPI takes part where its environment was made, which `--fastapi` does. `--json FILE` saves the report, `--quick`
 * takes 45 s instead of 4 minutes.
 */
import { loadavg } from "node:os";
import { Command } from "commander";
import { startAskedProcess, startPortProcess } from "./asked-process.ts";
import type { BareResult } from "./bare.ts";
import type { Round } from "./bench-ratios.ts";
import { formatBench, readBaseline, reportOf } from "./bench-report.ts";
import { type ScenarioId, type ServerName, scenarios } from "./bench-scenarios.ts";
import type { ClosedLoopOrder, ClosedLoopResult } from "./closed-loop-client.ts";
import { isFastapiReady, makeFastapiEnvironment, startFastapiServer } from "./fastapi/fastapi-server.ts";
import { startOwnServer } from "./own-server.ts";
import { checkSameAnswers } from "./same-answers.ts";
import { saveJson } from "./save-json.ts";
import { scratchFolder } from "./scratch-folder.ts";

const flags = new Command("bench")
  .description("Measure Setlist against ONNX Runtime alone and against a plain server, as ratios of one run.")
  .option("--json <FILE>", "save the report as JSON (default: not)")
  .option("--quick", "a short run, for a first look")
  .option("--fastapi", "make FastAPI's Python environment first, where it is not there (400 MB)")
  .allowExcessArguments(false)
  .parse()
  .opts<{ json?: string; quick?: boolean; fastapi?: boolean }>();

const { rounds, seconds, warmUpSeconds } =
  flags.quick === true
    ? { rounds: 2, seconds: 1.2, warmUpSeconds: 0.6 }
    : { rounds: 6, seconds: 2.5, warmUpSeconds: 1.5 };

if (flags.fastapi === true) await makeFastapiEnvironment();
const leftOut = (await isFastapiReady())
  ? []
  : ["FastAPI was left out: its environment is not there; npm run bench -- --fastapi makes it."];
for (const sentence of leftOut) process.stderr.write(`${sentence}\n`);

const loadBefore = loadavg()[0] ?? 0;
await using opened = new AsyncDisposableStack();
const dataDir = await scratchFolder("bench", opened);
const bare = opened.adopt(await startAskedProcess("bare.ts"), (it) => it.close());
const client = opened.adopt(await startAskedProcess("closed-loop-client.ts"), (it) => it.close());
const plain = opened.adopt(await startPortProcess("plain-server.ts"), (it) => it.close());
const setlist = await startOwnServer(opened, { dataDir });
const fastapi = leftOut.length > 0 ? undefined : opened.adopt(await startFastapiServer(), (it) => it.close());
const servers = { setlist, plain, fastapi };
const taking = scenarios.filter(({ server }) => servers[server] !== undefined);

function addressOf(server: ServerName, protocol: ClosedLoopOrder["protocol"]): string {
  if (protocol !== "http") return `127.0.0.1:${setlist.grpcPort}`;
  return `http://127.0.0.1:${servers[server]?.httpPort}`;
}

async function runRound(secondsEach: number): Promise<Round> {
  const results: Partial<Record<ScenarioId, ClosedLoopResult>> = {};
  const bareResult = await bare.ask<BareResult>({ seconds: secondsEach });
  for (const { id, server, order } of taking) {
    const address = addressOf(server, order.protocol);
    const whole: ClosedLoopOrder = { ...order, address, seconds: secondsEach };
    results[id] = await client.ask<ClosedLoopResult>(whole);
  }
  return { bare: bareResult, scenarios: results as Round["scenarios"] };
}

if (fastapi !== undefined) await checkSameAnswers(addressOf("plain", "http"), addressOf("fastapi", "http"));
process.stderr.write("warming up …\n");
await runRound(warmUpSeconds);
const measured: Round[] = [];
for (let round = 1; round <= rounds; round++) {
  process.stderr.write(`round ${round} of ${rounds} …\n`);
  measured.push(await runRound(seconds));
}
const report = reportOf(measured, loadBefore, leftOut);
process.stdout.write(formatBench(report, readBaseline()));
saveJson(flags.json, report);

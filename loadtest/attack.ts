/**
 * `npm run loadtest:attack`: what an attacker on the network can do to a server of our own, family by family, while a
 * well-behaved client asks on. Prints what each attack sent and what became of the server; exit 1 where it did
 * something that it should not.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import Table from "cli-table3";
import { Command, Option } from "commander";
import { startServerProcess } from "../src/app/server-process.ts";
import { positiveInteger, wholeNumber } from "../src/cli/argument.ts";
import { startAskedProcess } from "./asked-process.ts";
import type { Attack } from "./attacks/attack.ts";
import { grpcCalls } from "./attacks/grpc-calls.ts";
import { shapedHttp } from "./attacks/http-shapes.ts";
import { slowHttp } from "./attacks/http-slow.ts";
import { http2Floods } from "./attacks/http2-floods.ts";
import { idleConnections } from "./attacks/idle-connections.ts";
import { mutations } from "./attacks/mutations.ts";
import { type ObservedAttack, observeAttack } from "./attacks/observed-attack.ts";
import { saveJson } from "./save-json.ts";

const families: Readonly<Record<string, readonly Attack[]>> = {
  shapes: shapedHttp,
  floods: http2Floods,
  calls: grpcCalls,
  slow: slowHttp,
  idle: idleConnections,
  mutations,
};

/** What the others are held against. */
const quiet: Attack = {
  name: "nobody attacks",
  async run() {
    await delay(20_000);
    return { sent: "nothing", findings: [] };
  },
};

const flags = new Command("loadtest:attack")
  .description("Attacks over real sockets, and what becomes of the server and of its other clients.")
  .addOption(
    new Option("--family <names...>", "only these")
      .choices(Object.keys(families))
      .default(Object.keys(families)),
  )
  .option("--processes <count>", "of the server", positiveInteger, 1)
  .option("--connections <count>", "idle ones, on each port", positiveInteger, 10_000)
  .option("--hold <seconds>", "how long idle connections and unread answers are kept up", positiveInteger, 90)
  .option("--http-inputs <count>", "mutated requests", positiveInteger, 200_000)
  .option("--grpc-inputs <count>", "mutated messages", positiveInteger, 100_000)
  .option("--seed <number>", "draws the mutations", wholeNumber, 1)
  .option("--json <file>", "save what was found")
  .allowExcessArguments(false)
  .parse()
  .opts<{
    family: string[];
    processes: number;
    connections: number;
    hold: number;
    httpInputs: number;
    grpcInputs: number;
    seed: number;
    json?: string;
  }>();

const dataDir = await mkdtemp(join(tmpdir(), "setlist-attack-"));
const observed: ObservedAttack[] = [];
try {
  const server = await startServerProcess({
    dataDir,
    flags: ["--processes", String(flags.processes)],
    readyMsMax: 1_800_000,
  });
  const canary = await startAskedProcess("attacks/canary-process.ts");
  await canary.ask({ httpPort: server.httpPort, grpcPort: server.grpcPort });
  const scale = { ...flags, holdSeconds: flags.hold };
  for (const attack of [quiet, ...flags.family.flatMap((name) => families[name] ?? [])]) {
    const one = await observeAttack(attack, server, scale, canary);
    observed.push(one);
    process.stdout.write(
      `${one.name}: ${one.seconds.toFixed(0)} s${one.findings.map((text) => `\n  ! ${text}`).join("")}\n`,
    );
  }
  await canary.close();
  const exitCode = await server.stop();
  process.stdout.write(`${table(observed)}\nseed ${flags.seed}; the server ended with ${exitCode}\n`);
  saveJson(flags.json, { flags, observed, exitCode });
  if (exitCode !== 0 || observed.some(({ findings }) => findings.length > 0)) process.exitCode = 1;
} finally {
  await rm(dataDir, { recursive: true, force: true });
}

function table(all: readonly ObservedAttack[]): string {
  const head = [
    "attack",
    "sent",
    "canary p99 ms, failures",
    "MiB before, peak, after",
    "descriptors",
    "verdict",
  ];
  const drawn = new Table({
    head,
    style: { head: [], border: [], compact: true },
    wordWrap: true,
    colWidths: [34, 44, 12, 18, 18, 10],
  });
  for (const { name, sent, canary, mib, descriptors, findings } of all) {
    drawn.push([
      name,
      sent,
      `${canary.p99Ms.toFixed(1)}, ${canary.failures.length} of ${canary.asked}`,
      [mib.before, mib.peak, mib.after].map((one) => one.toFixed(0)).join(", "),
      [descriptors.before, descriptors.peak, descriptors.after].join(", "),
      findings.length === 0 ? "held" : `${findings.length} found`,
    ]);
  }
  return drawn.toString();
}

/**
 * `npm run validate:statistics`: simulates every scenario and writes docs/statistics-validation.md with its pictures. Exit
 * code 1 where a bar is missed. `--share 0.1` simulates a tenth of the runs and writes no page; `--save FILE` keeps the counts,
 * and `--from FILE` writes the page of counts that were kept.
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { SingleBar } from "cli-progress";
import { drawBands } from "./draw-bands.ts";
import { drawPeeking, drawPower, formatPage, formatTerminal, type Validated } from "./page.ts";
import { type Count, isKept, type Scenario } from "./scenario.ts";
import { scenarios } from "./scenarios.ts";
import { addCounts, type Part } from "./simulate.ts";

const partsOfScenario = 24;

function refuse(sentence: string): never {
  process.stderr.write(`validate: ${sentence}\n`);
  process.exit(2);
}

const { values } = parseArgs({
  options: {
    seed: { type: "string", default: "2026-11-26" },
    share: { type: "string", default: "1" },
    workers: { type: "string", default: String(Math.min(2, availableParallelism())) },
    only: { type: "string" },
    save: { type: "string" },
    from: { type: "string" },
    help: { type: "boolean", short: "h" },
  },
});
if (values.help === true) {
  process.stdout.write(`Usage: npm run validate:statistics -- [options]

Simulate experiments whose truth is known, some minutes, and write docs/statistics-validation.md. Exit code 1 where a bar is missed.

  --share <SHARE>   that part of the runs, and no page (default: 1, with the page)
  --only <ID>       one scenario (default: all, ${scenarios.map(({ id }) => id).join(", ")})
  --seed <TEXT>     draws the experiments (default: 2026-11-26)
  --workers <COUNT> processes (default: 2 at most)
  --save <FILE>     save the counts (default: not)
  --from <FILE>     write the page of counts that were saved (default: simulate)
`);
  process.exit();
}

const share = Number(values.share);
const workers = Number(values.workers);
if (!(share > 0 && share <= 1)) refuse("--share: expected a number above 0 and at most 1");
if (!(Number.isSafeInteger(workers) && workers > 0)) refuse("--workers: expected a whole number from 1");

const chosen = scenarios
  .filter(({ id }) => values.only === undefined || id === values.only)
  .map((scenario) => ({ ...scenario, runs: Math.max(1, Math.round(scenario.runs * share)) }));
if (chosen.length === 0) {
  refuse(`--only: expected one of ${scenarios.map(({ id }) => id).join(", ")}`);
}

interface Kept {
  readonly seed: string;
  readonly seconds: number;
  readonly workers: number;
  readonly counts: Readonly<Record<string, readonly Count[]>>;
}

const kept: Kept =
  values.from === undefined ? await simulated() : JSON.parse(await readFile(values.from, "utf8"));
if (values.save !== undefined) await writeFile(values.save, JSON.stringify(kept));
const validated: Validated = {
  ...kept,
  results: chosen.map((scenario) => ({ scenario, counts: kept.counts[scenario.id] as Count[] })),
};

process.stdout.write(formatTerminal(validated));
if (share === 1 && values.only === undefined) {
  const docs = join(import.meta.dirname, "../../docs");
  await writeFile(join(docs, "statistics-validation.md"), formatPage(validated));
  await writeFile(join(docs, "images/statistics-bands.svg"), drawBands(validated.results));
  await writeFile(join(docs, "images/statistics-peeking.svg"), drawPeeking(validated));
  await writeFile(join(docs, "images/statistics-power.svg"), drawPower(validated));
}
const missed = validated.results.some(({ scenario, counts }) =>
  scenario.questions.some(({ bar }, i) => isKept(bar, counts[i] as Count) === false),
);
if (missed) process.exitCode = 1;

async function simulated(): Promise<Kept> {
  const started = performance.now();
  const counts = Object.fromEntries(await simulateAll(chosen));
  return { seed: values.seed, seconds: (performance.now() - started) / 1_000, workers, counts };
}

async function simulateAll(all: readonly Scenario[]): Promise<Map<string, Count[]>> {
  const parts = all.flatMap(({ id, runs }) => partsOf(id, runs));
  const counts = new Map<string, Count[]>();
  const bar = new SingleBar({
    stream: process.stderr,
    format: "simulating {bar} {percentage} %, {eta_formatted} left, {id}",
    hideCursor: false,
    noTTYOutput: false,
  });
  bar.start(parts.length, 0, { id: "" });
  const work = async (): Promise<void> => {
    const child = fork(join(import.meta.dirname, "worker.ts"), [values.seed]);
    const died = once(child, "exit").then(([code]) => {
      throw new Error(`a worker ended with code ${code}`);
    });
    died.catch(() => undefined);
    for (let part = parts.shift(); part !== undefined; part = parts.shift()) {
      child.send(part);
      const [answered] = await Promise.race([once(child, "message"), died]);
      const before = counts.get(part.id);
      counts.set(part.id, before === undefined ? answered : addCounts(before, answered));
      bar.increment(1, { id: part.id });
    }
    child.disconnect();
  };
  await Promise.all(Array.from({ length: workers }, work));
  bar.stop();
  return counts;
}

function partsOf(id: string, runs: number): Part[] {
  const size = Math.ceil(runs / partsOfScenario);
  const parts: Part[] = [];
  for (let from = 0; from < runs; from += size) parts.push({ id, from, to: Math.min(runs, from + size) });
  return parts;
}

/**
 * `npm run loadtest:providers`: how long a run of a model takes on each execution provider, by the rows of the batch, in
 * a server's own workers and in turns with the CPU; and how far the probabilities are from the CPU's.
 */
import { loadavg } from "node:os";
import { join } from "node:path";
import { Command, InvalidArgumentError } from "commander";
import { positiveInteger, positiveNumber, wholeNumber } from "../src/cli/argument.ts";
import { messageOf } from "../src/domain/error.ts";
import { type ExecutionProvider, executionProviders } from "../src/domain/execution-provider.ts";
import { tryProvider } from "../src/inference/provider-trial.ts";
import { RemoteWorker } from "../src/inference/remote-worker.ts";
import { readRepository, type StoredModel } from "../src/inference/repository.ts";
import type { OperatorCounts } from "../src/inference/traced-session.ts";
import type { Order, Reply } from "../src/inference/worker-messages.ts";
import { spawnWorkerProcess } from "../src/inference/worker-process.ts";
import { randomStream } from "../src/simulation/random-stream.ts";
import { machineOf } from "./bench-report.ts";
import { type BatchOrders, drawBatches, requestSizes, splitOrders, wholeOrders } from "./provider-batches.ts";
import {
  formatProviders,
  type ProviderCase,
  type ProviderFigure,
  type ProviderTimes,
  providerFigures,
} from "./providers-report.ts";
import { saveJson } from "./save-json.ts";
import { worldSize } from "./world-size.ts";

/** Different batches that take turns, so that no run finds its own input in a cache. */
const batches = 4;

const flags = new Command("loadtest:providers")
  .description("Measure what a run of a model takes on each execution provider, by the rows of the batch.")
  .option(
    "--providers <NAME...>",
    `${executionProviders.join(", ")}; cpu always takes part (default: cpu webgpu)`,
    (name, all: ExecutionProvider[] | undefined) => [...(all ?? []), providerOf(name)],
  )
  .option("--models <NAME...>", "of the repository (default: home-kd video-teacher)")
  .option(
    "--rows <COUNT...>",
    "rows of a batch (default: 1 4 16 64 200 800 1024 4096)",
    (value, all: number[] | undefined) => [...(all ?? []), positiveInteger(value)],
  )
  .option("--items <COUNT>", "items that candidates are drawn from", positiveInteger, worldSize().tracks)
  .option("--rounds <COUNT>", "rounds, each of all providers in turn", positiveInteger, 3)
  .option("--seconds <SECONDS>", "length of a turn", positiveNumber, 0.3)
  .option("--seed <NUMBER>", "draws the requests", wholeNumber, 1)
  .option("--json <FILE>", "save the figures as JSON (default: not)")
  .allowExcessArguments(false)
  .parse()
  .opts<{
    providers?: ExecutionProvider[];
    models?: string[];
    rows?: number[];
    items: number;
    rounds: number;
    seconds: number;
    seed: number;
    json?: string;
  }>();

function providerOf(name: string): ExecutionProvider {
  const provider = executionProviders.find((one) => one === name);
  if (provider !== undefined) return provider;
  throw new InvalidArgumentError(`expected one of ${executionProviders.join(", ")}.`);
}

/** A worker that runs models on one provider alone. */
interface Runner {
  readonly provider: ExecutionProvider;
  readonly worker: RemoteWorker;
}

const wantedProviders = new Set<ExecutionProvider>(["cpu", ...(flags.providers ?? ["webgpu"])]);
const wantedRows = flags.rows ?? [1, 4, 16, 64, 200, 800, 1_024, 4_096];
const repository = join(import.meta.dirname, "../models/repository");
const loadBefore = loadavg()[0] ?? 0;
const leftOut: string[] = [];

function leaveOut(sentence: string): void {
  leftOut.push(sentence);
  process.stderr.write(`${sentence}\n`);
}

async function readModels(names: readonly string[]): Promise<readonly StoredModel[]> {
  const roles = ["student", "teacher"] as const;
  const all = (
    await Promise.all(roles.map((role) => readRepository(repository, undefined, role, () => undefined)))
  ).flat();
  return names.map((name) => {
    const found = all.findLast(({ manifest }) => manifest.model.name === name);
    if (found !== undefined) return found;
    const known = new Set(all.map(({ manifest }) => manifest.model.name));
    throw new Error(`expected a model of ${repository} (${[...known].join(", ")}), found ${name}`);
  });
}

async function startRunners(opened: AsyncDisposableStack): Promise<readonly Runner[]> {
  const runners: Runner[] = [];
  for (const provider of wantedProviders) {
    const failure = await tryProvider(provider);
    if (failure !== undefined) {
      leaveOut(`${provider} was left out, it cannot run here: ${failure}`);
      continue;
    }
    const worker = opened.adopt(new RemoteWorker(spawnWorkerProcess), (it) => it.exit());
    runners.push({ provider, worker });
  }
  return runners;
}

async function measureCase(
  all: readonly Runner[],
  stored: StoredModel,
  graphs: ProviderCase["graphs"],
): Promise<ProviderCase> {
  const { name, version } = stored.manifest.model;
  const model = `${name}/${version}`;
  const taking = new Set(all);
  const operators: Partial<Record<ExecutionProvider, OperatorCounts>> = {};
  /** One that fails goes on with the next model: what the others took is worth no less. */
  async function attempt<Done>(runner: Runner, work: () => Promise<Done>): Promise<Done | undefined> {
    try {
      return await work();
    } catch (error) {
      if (runner.provider === "cpu") throw error;
      taking.delete(runner);
      leaveOut(`${runner.provider} was left out of ${model}, ${graphs}: ${messageOf(error)}`);
      return undefined;
    }
  }
  const first = drawOrders(stored, graphs, 1);
  for (const runner of all) {
    await attempt(runner, async () => {
      await load(runner, stored, graphs);
      await scoreOnce(runner, first);
      if (runner.provider !== "cpu") operators[runner.provider] = await countOperators(runner);
    });
  }
  const figures: ProviderFigure[] = [];
  for (const rows of wantedRows) {
    process.stderr.write(`${model}, ${graphs}: ${rows} rows …\n`);
    const orders = drawOrders(stored, graphs, rows);
    const scores = new Map<Runner, readonly Float32Array[]>();
    for (const runner of taking) {
      const found = await attempt(runner, () => scoreOnce(runner, orders));
      if (found !== undefined) scores.set(runner, found);
    }
    const times = new Map<Runner, number[][]>([...taking].map((runner) => [runner, []]));
    for (let round = 0; round < flags.rounds; round++) {
      const inOrder = round % 2 === 0 ? [...taking] : [...taking].toReversed();
      for (const runner of inOrder) {
        const turn = await attempt(runner, () => runFor(runner, orders.measured));
        if (turn !== undefined) times.get(runner)?.push(turn);
      }
    }
    const expected = [...scores.values()][0] ?? [];
    const measured = [...taking].map(
      (runner): ProviderTimes => ({
        provider: runner.provider,
        rounds: times.get(runner) ?? [],
        differenceMax: furthest(expected, scores.get(runner) ?? []),
      }),
    );
    figures.push(...providerFigures(rows, requestSizes(rows).length, measured));
  }
  for (const { worker } of all) if (!worker.isDead) await worker.call({ kind: "unload", model: 0 });
  return { model, graphs, figures, operators };
}

function drawOrders(stored: StoredModel, graphs: ProviderCase["graphs"], rows: number): BatchOrders {
  const { model } = stored.manifest;
  const random = randomStream(flags.seed, model.name, rows);
  const drawn = drawBatches(stored, { batches, rows, items: flags.items }, random);
  return graphs === "one graph" ? wholeOrders(0, model, drawn) : splitOrders(0, model, drawn);
}

async function load(
  { provider, worker }: Runner,
  { manifest, graph, split }: StoredModel,
  graphs: ProviderCase["graphs"],
): Promise<void> {
  const { model, outputName } = manifest;
  const common = { inputs: model.inputs, outputName, tasks: model.tasks.length, providers: [provider] };
  const order: Order =
    graphs === "one graph" || split === undefined
      ? { kind: "load", model: 0, graph, ...common }
      : {
          kind: "load-split",
          model: 0,
          graphs: {
            ...common,
            item: split.item,
            request: split.request,
            rowWidth: split.rowWidth,
          },
        };
  const reply = await worker.call(order);
  if (reply.kind !== "loaded" && reply.kind !== "split-loaded") throw failed(reply);
}

/** Ends the trace of the first runs, which slows them. */
async function countOperators({ worker }: Runner): Promise<OperatorCounts> {
  const reply = await worker.call({ kind: "count-operators", model: 0 });
  if (reply.kind !== "operators-counted") throw failed(reply);
  return reply.operators;
}

/** Every batch once, so that nothing is filled, compiled or allocated later; what they scored. */
async function scoreOnce(runner: Runner, { filling, measured }: BatchOrders): Promise<Float32Array[]> {
  for (const order of filling) await score(runner, order);
  const scores: Float32Array[] = [];
  for (const order of measured) scores.push((await score(runner, order)).probabilities);
  return scores;
}

/** The times of runs one after the other, ms. */
async function runFor(runner: Runner, orders: readonly Order[]): Promise<number[]> {
  const times: number[] = [];
  const until = performance.now() + flags.seconds * 1_000;
  do {
    const order = orders[times.length % orders.length] as Order;
    times.push((await score(runner, order)).inferenceMs);
  } while (performance.now() < until);
  return times;
}

async function score({ worker }: Runner, order: Order): Promise<Extract<Reply, { kind: "scored" }>> {
  const reply = await worker.call(order);
  if (reply.kind !== "scored") throw failed(reply);
  return reply;
}

/** Infinite where one is missing or not a number. */
function furthest(expected: readonly Float32Array[], found: readonly Float32Array[]): number {
  const differences = expected.flatMap((scores, batch) =>
    Array.from(scores, (score, place) => Math.abs(score - (found[batch]?.[place] ?? Number.NaN))),
  );
  const largest = differences.reduce((most, one) => Math.max(most, one), 0);
  return Number.isNaN(largest) ? Number.POSITIVE_INFINITY : largest;
}

function failed(reply: Reply): Error {
  return new Error(reply.kind === "failed" ? reply.message : `unexpected answer "${reply.kind}"`);
}

const models = await readModels(flags.models ?? ["home-kd", "video-teacher"]);
await using opened = new AsyncDisposableStack();
const runners = await startRunners(opened);
const cases: ProviderCase[] = [];
for (const stored of models) {
  cases.push(await measureCase(runners, stored, "one graph"));
  if (stored.split !== undefined) cases.push(await measureCase(runners, stored, "two graphs"));
}
const at = new Date().toISOString();
const report = { cases, leftOut, items: flags.items, machine: machineOf(loadBefore), at };
process.stdout.write(formatProviders(report));
saveJson(flags.json, report);

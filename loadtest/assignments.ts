/**
 * `npm run loadtest:assignments`: how many requests a second one core decides for 20 running experiments, in several
 * houses. Each round takes every house in turn, so that what else the machine does falls on all of them; the best
 * round counts, as the disturbance only ever takes time. Fails where 20 experiments of one layer, or of 20 layers, are
 * decided less than a million times a second.
 */
import Table from "cli-table3";
import { Command } from "commander";
import { positiveInteger } from "../src/cli/argument.ts";
import type { Experiment, ExperimentDocument } from "../src/domain/experiment.ts";
import { type Assigner, compileAssigner, revise } from "../src/experiments/experiments.ts";
import { saveJson } from "./save-json.ts";

/** Full decisions a second: one request, all of its experiments. */
const wanted = 1_000_000;
const experimentCount = 20;
const targeting = "user.country in ['DE', 'AT'] && context.device == 'ios'";

const flags = new Command("loadtest:assignments")
  .description(
    "Measure how many requests a second one core decides for 20 running experiments of one surface.",
  )
  .option("--requests <COUNT>", "decided in a round of one house", positiveInteger, 300_000)
  .option("--rounds <COUNT>", "of which the best counts", positiveInteger, 7)
  .option("--json <FILE>", "save the figures as JSON (default: not)")
  .allowExcessArguments(false)
  .parse()
  .opts<{ requests: number; rounds: number; json?: string }>();

interface House {
  readonly name: string;
  readonly assigner: Assigner;
  readonly isHeldToTheBar: boolean;
}

function document(index: number, over: Partial<ExperimentDocument>): ExperimentDocument {
  const model = { name: "home-control" };
  return {
    id: `exp-${index}`,
    description: "",
    surface: "home",
    layer: `layer-${index}`,
    unit: "user",
    salt: `exp-${index}`,
    traffic: 1,
    status: "running",
    arms: [
      { id: "control", control: true, weight: 1, model },
      { id: "treated", control: false, weight: 1, model },
    ],
    overrides: {},
    metrics: [],
    ...over,
  };
}

function experiments(over: Partial<ExperimentDocument>): Experiment[] {
  const all: Experiment[] = [];
  for (let i = 0; i < experimentCount; i++) all.push(revise(undefined, document(i, over), all));
  return all;
}

const everyone = { id: "everyone", share: 0.05, unit: "user" as const };
const houses: readonly House[] = [
  {
    name: "one layer, 5 % each",
    assigner: compileAssigner(experiments({ layer: "one", traffic: 1 / experimentCount })),
    isHeldToTheBar: true,
  },
  {
    name: "20 layers, every user gets 20 arms",
    assigner: compileAssigner(experiments({})),
    isHeldToTheBar: true,
  },
  {
    name: "20 layers of 50 % traffic",
    assigner: compileAssigner(experiments({ traffic: 0.5 })),
    isHeldToTheBar: false,
  },
  {
    name: "20 layers of 10 % traffic",
    assigner: compileAssigner(experiments({ traffic: 0.1 })),
    isHeldToTheBar: false,
  },
  {
    name: "20 layers, a holdout of 5 % over all",
    assigner: compileAssigner(experiments({}), { holdouts: [everyone] }),
    isHeldToTheBar: false,
  },
  {
    name: "20 layers, each with CEL targeting that fits",
    assigner: compileAssigner(experiments({ targeting })),
    isHeldToTheBar: false,
  },
];

const facts = { user: { country: "AT" }, context: { device: "ios" } };

/** Requests a second of processor time, and the arms that each got. */
function measure({ assigner }: House, from: number): { readonly perSecond: number; readonly arms: number } {
  let arms = 0;
  const began = process.cpuUsage();
  for (let i = from; i < from + flags.requests; i++) arms += assigner.assign("home", `u${i}`, facts).length;
  const { user, system } = process.cpuUsage(began);
  return { perSecond: (flags.requests / (user + system)) * 1e6, arms: arms / flags.requests };
}

const best = new Map<House, ReturnType<typeof measure>>();
for (let round = 0; round < flags.rounds; round++) {
  for (const house of houses) {
    const got = measure(house, round * flags.requests);
    if (got.perSecond > (best.get(house)?.perSecond ?? 0)) best.set(house, got);
  }
}

const figures = [...best].map(([{ name, isHeldToTheBar }, { perSecond, arms }]) => ({
  name,
  perSecond: Math.round(perSecond),
  experimentDecisionsPerSecond: Math.round(perSecond * experimentCount),
  arms: Number(arms.toFixed(2)),
  isHeldToTheBar,
}));

const table = new Table({
  head: ["20 running experiments of one surface", "requests/s", "experiment decisions/s", "arms a request"],
  style: { head: [], border: [] },
});
const million = (count: number): string => `${(count / 1e6).toFixed(2)} million`;
for (const { name, perSecond, experimentDecisionsPerSecond, arms } of figures) {
  table.push([name, million(perSecond), million(experimentDecisionsPerSecond), arms]);
}
process.stdout.write(`${table.toString()}\n`);
saveJson(flags.json, figures);

const late = figures.filter(({ isHeldToTheBar, perSecond }) => isHeldToTheBar && perSecond < wanted);
for (const { name, perSecond } of late) {
  process.stdout.write(`${name}: expected ${million(wanted)} requests a second, got ${million(perSecond)}\n`);
}
process.exitCode = late.length === 0 ? 0 : 1;

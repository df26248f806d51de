/**
 * `npm run loadtest:log-cost`: what logging one rank request costs the thread that answers, in microseconds of its
 * CPU time, by what is logged: gathering the features, encoding the record, handing it to the disk and being called back.
 * Not part of the tests: it measures the machine it is on.
 */
import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command } from "commander";
import { systemClock } from "../src/app/system-clock.ts";
import { positiveInteger } from "../src/cli/argument.ts";
import type { Features } from "../src/domain/feature.ts";
import type { Impression } from "../src/domain/impression.ts";
import type { Model } from "../src/domain/model.ts";
import { counted } from "../src/domain/number-text.ts";
import type { OutcomeLog } from "../src/domain/outcome-log.ts";
import type { RankedItem, RankRequest } from "../src/domain/rank.ts";
import { RequestEncoder } from "../src/features/request-encoder.ts";
import { openScorer } from "../src/inference/inference.ts";
import { openOutcomeLog, PseudonymousLog } from "../src/outcomes/outcomes.ts";
import { isInShare } from "../src/serving/request-share.ts";
import { sentAttributes } from "../src/serving/sent-attributes.ts";
import { seenTensors, servedFeatures } from "../src/serving/served-features.ts";
import { median } from "./bench-ratios.ts";
import { madeImpression } from "./log-records.ts";

interface Flags {
  readonly impressions: number;
  readonly items: number;
  readonly candidates: number;
  readonly rounds: number;
  readonly models: string;
}

const flags = new Command("loadtest:log-cost")
  .description(
    "Append impressions as serving does and print the processor time of the calling thread for each.",
  )
  .option("--impressions <COUNT>", "impressions a round", positiveInteger, 10_000)
  .option("--items <COUNT>", "ranked items of an impression", positiveInteger, 50)
  .option("--candidates <COUNT>", "candidates of a request", positiveInteger, 200)
  .option("--rounds <COUNT>", "rounds of every variant, in turn; the median is printed", positiveInteger, 5)
  .option("--models <FOLDER>", "the repository with home-control", "models/repository")
  .allowExcessArguments(false)
  .parse()
  .opts<Flags>();

/** What is logged beside the plain impression. */
interface Variant {
  readonly name: string;
  readonly attributes?: boolean;
  readonly pseudonyms?: boolean;
  /** Candidates. */
  readonly beyondLimit?: number;
  /** The share of requests. */
  readonly served?: number;
}

const variants: readonly Variant[] = [
  { name: "impression" },
  { name: "+ 6 attributes", attributes: true },
  { name: "+ pseudonyms", pseudonyms: true },
  { name: "+ 50 candidates beyond the limit", beyondLimit: 50 },
  { name: "+ served features, share 0.01", served: 0.01 },
  { name: "+ served features, share 1", served: 1 },
  { name: "all, share 0.01", attributes: true, pseudonyms: true, beyondLimit: 50, served: 0.01 },
  { name: "all, share 1", attributes: true, pseudonyms: true, beyondLimit: 50, served: 1 },
];

const underWay = 16;
const scorer = await openScorer({
  repository: flags.models,
  workers: 1,
  batchRowsMax: 800,
  queueRequestsMax: 1,
  clock: systemClock,
});
const model = scorer.resolve({ name: "home-control" }) as Model;
await scorer.close();

const candidates = Array.from({ length: flags.candidates }, (_, i) => ({ id: `t${i * 17}` }));
const noFeatures: Features = {};
const request: RankRequest = {
  requestId: "r",
  surface: "home",
  user: {
    id: "u1",
    attributes: { country: "DE", plan: "family", age: 41, premium: true },
    features: noFeatures,
  },
  context: { attributes: { device: "ios", hour: 7 }, features: noFeatures },
  candidates,
  limit: flags.items,
  timeoutMs: undefined,
  explain: false,
};
const encoder = new RequestEncoder(
  { columns: () => undefined, read: async (_entity, ids) => ids.map(() => undefined), close: async () => {} },
  10_000,
  () => undefined,
);
const encoded = await encoder.encode(model, request);
const ranked: readonly RankedItem[] = candidates.map(({ id }, i) => ({
  id,
  position: i + 1,
  score: 1 / (i + 1.7),
  tasks: { click: Math.fround(0.31 / (i + 1)), completion: Math.fround(0.64), like: Math.fround(0.05) },
}));

const folder = mkdtempSync(join(tmpdir(), "setlist-log-cost-"));
try {
  const figures = variants.map(() => ({ us: [] as number[], bytes: 0 }));
  for (let round = 0; round <= flags.rounds; round++) {
    for (const [place, variant] of variants.entries()) {
      const { us, bytes } = await costOf(variant, join(folder, `${round}-${place}`));
      // The first round warms.
      if (round > 0) figures[place]?.us.push(us);
      (figures[place] as { bytes: number }).bytes = bytes;
    }
  }
  console.log(
    `us of the answering thread an impression of ${flags.items} items of ${flags.candidates} candidates; median (lowest, highest) of ${counted(flags.rounds, "round")}; bytes`,
  );
  for (const [place, { us, bytes }] of figures.entries()) {
    const sorted = us.toSorted((a, b) => a - b);
    const [middle, low, high] = [median(us), sorted[0], sorted.at(-1)].map((one) =>
      (one as number).toFixed(1),
    );
    console.log(
      `${(variants[place]?.name ?? "").padEnd(34)} ${middle?.padStart(6)} (${low}, ${high})  ${Math.round(bytes)}`,
    );
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function costOf(variant: Variant, directory: string): Promise<{ us: number; bytes: number }> {
  const opened = await openOutcomeLog({
    directory,
    segmentBytesMax: 2 ** 30,
    syncIntervalMs: 50,
    clock: systemClock,
  });
  let log: OutcomeLog = opened;
  if (variant.pseudonyms === true) log = new PseudonymousLog(opened, "0123456789abcdef0123456789abcdef");
  const before = process.threadCpuUsage();
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < flags.impressions) await log.appendImpression(impressionOf(next++, variant));
  };
  await Promise.all(Array.from({ length: underWay }, worker));
  const { user, system } = process.threadCpuUsage(before);
  await opened.close();
  const bytes = readdirSync(directory)
    .filter((name) => name.endsWith(".seg"))
    .reduce((sum, name) => sum + statSync(join(directory, name)).size, 0);
  rmSync(directory, { recursive: true });
  return { us: (user + system) / flags.impressions, bytes: bytes / flags.impressions };
}

/** As `rank` makes it, of an answer that is there already. */
function impressionOf(number: number, { attributes, beyondLimit = 0, served = 0 }: Variant): Impression {
  const requestId = `01989f3e-7c00-7000-8000-${number.toString(16).padStart(12, "0")}`;
  const shown = ranked.slice(0, flags.items + beyondLimit);
  const { user, context } = request;
  return {
    ...madeImpression(number, { items: 0, sent: 0 }),
    requestId,
    at: Date.now(),
    model: { name: model.name, version: model.version },
    candidateCount: flags.candidates,
    items: shown.slice(0, flags.items),
    ...(attributes === true && { attributes: sentAttributes(user.attributes, context.attributes) }),
    ...(beyondLimit > 0 && { beyondLimit: shown.slice(flags.items) }),
    ...(isInShare(served, requestId, "served-features") && {
      served: servedFeatures([seenTensors(model, encoded)], candidates, shown),
    }),
  };
}

/** Experiments: what is accepted can be assigned, kept, read back the same, sent over the wire and analysed. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { analyzeExperiment } from "../../../src/analysis/analysis.ts";
import { canonicalJson } from "../../../src/domain/canonical-json.ts";
import type { Experiment } from "../../../src/domain/experiment.ts";
import {
  changedFields,
  compileAssigner,
  documentOf,
  parseExperimentDocument,
  revise,
  validateExperiment,
} from "../../../src/experiments/experiments.ts";
import { duckDbEngine } from "../../../src/measurement/duckdb-engine.ts";
import { openRegistry } from "../../../src/registry/registry.ts";
import { withLogFiles } from "../../../src/warehouse/warehouse.ts";
import { arm, documentWith, experimentWith, servedHouse } from "../../support/experiments.ts";
import { impressionOf, outcomeOf } from "../../support/log-records.ts";
import { segmentsOf } from "../segments.ts";
import { accepts, type OpenTarget, type Target } from "../target.ts";

const whole = {
  ...documentWith({ id: "exp", layer: "other", traffic: 0.5, attributionWindow: "7d" }),
  arms: [
    arm("control"),
    arm("kd", { valueModel: { kind: "weighted-sum", weights: { click: 1 } }, cost: 0.25 }),
  ],
  targeting: "user.country in ['DE', 'AT'] && context.device == 'ios'",
  prerequisites: [{ experiment: "first", arms: ["treated"] }],
  sticky: false,
  overrides: { "qa-1": "kd" },
  stratify: ["user.country", "context.device"],
  counterfactual: { share: 0.1, topK: 5 },
  metrics: [
    {
      id: "completions",
      type: "mean",
      outcome: "completion",
      aggregate: "count",
      role: "primary",
      minimumEffect: 0.02,
    },
    { id: "share", type: "proportion", outcome: "click", window: "1d", covariate: "14d" },
    {
      id: "seconds",
      type: "mean",
      outcome: "play",
      aggregate: "sum",
      winsorise: 0.99,
      filter: "item.position <= 3",
    },
    { id: "per-request", type: "ratio", outcome: "play", denominator: { aggregate: "requests" } },
    { id: "median", type: "quantile", outcome: "play", quantile: 0.5, role: "guardrail", margin: 0.1 },
  ],
  plan: { kind: "group-sequential", units: 6_000, looks: [0.5, 1], spending: "pocock" },
};
const examples = [
  whole,
  documentWith({ id: "exp", layer: "other", traffic: 0.1 }),
  {
    ...documentWith({ id: "exp", layer: "other" }),
    kind: "interleave",
    metrics: [{ id: "c", type: "mean", outcome: "completion" }],
  },
  {
    id: "exp",
    surface: "home",
    layer: "other",
    arms: whole.arms,
    metrics: whole.metrics,
    ramp: [{ traffic: 0.01, for: "1h" }, { traffic: 0.1, for: "24h" }, { traffic: 0.5 }],
    guardrails: [
      { kind: "latency-p99", maxMs: 80, action: "hold", window: "1h" },
      { kind: "error-rate", max: 0.01, alpha: 0.001 },
      { kind: "fallback-rate", margin: 0.01, minimum: 50 },
      { kind: "srm" },
      { kind: "metric", metric: "completions", margin: 0.05, owner: "team" },
    ],
    plan: { kind: "always-valid", units: 100, end: "2027-01-01T00:00:00Z" },
  },
  {
    ...documentWith({ id: "exp", layer: "own" }),
    unit: "user.country",
    status: "running",
    plan: { kind: "fixed", units: 10 },
  },
];

const others: readonly Experiment[] = [
  experimentWith({ id: "mate", layer: "other", traffic: 0.4 }),
  experimentWith({ id: "first", layer: "ranker" }),
];
const context = { ...servedHouse, others };
const facts = { user: { country: "DE", age: 3 }, context: { device: "ios" }, session: "s", request: "r" };

const records = ["control", "kd", "treated", "interleaved"].flatMap((of, place) =>
  Array.from({ length: 4 }, (_, i) => i).flatMap((i) => [
    {
      ...impressionOf(`r${place}-${i}`, `u${place}-${i}`, of, ["t1", "t2"], {
        assignment: { experiment: "exp" },
      }),
      attributes: { user: { country: i % 2 === 0 ? "DE" : "AT" } },
    },
    outcomeOf(`o${place}-${i}`, `r${place}-${i}`, "t1", i % 2 === 0 ? "completion" : "play", i),
  ]),
);

/** SQLite and DuckDB take their time: of what is accepted, so much goes through them. */
const keptOneIn = 10;
const analysedOneIn = 100;

async function open(): Promise<OpenTarget> {
  const folder = await mkdtemp(join(tmpdir(), "setlist-fuzz-"));
  const clock = { now: () => Date.UTC(2026, 10, 22), monotonic: () => performance.now() };
  const store = openRegistry({ dataDir: folder, clock });
  await store.write("fuzz", () => ({ experiments: others.map((document) => ({ document, what: "made" })) }));
  let accepted = 0;
  return {
    take(input) {
      const text = input.toString();
      return accepts(async () => {
        const next = parsed(text);
        const assigner = compileAssigner([...others, next]);
        for (const unit of ["u1", "qa-1", "\u{1f600}"]) {
          for (const surface of ["home", "radio"]) assigner.assign(surface, unit, facts);
          assigner.explain("home", unit, facts);
        }
        const again = JSON.parse(JSON.stringify(documentOf(next)));
        const twice = parseExperimentDocument(again, "body");
        if (changedFields(next, twice).length > 0)
          throw new Error(`changed by being read again: ${changedFields(next, twice)}`);
        accepted += 1;
        if (accepted % keptOneIn === 0) await keep(next);
        if (accepted % analysedOneIn === 1) await analysed(next);
      }, text);
    },
    async close() {
      await store.close();
      await rm(folder, { recursive: true, force: true });
    },
  };

  async function keep(next: Experiment): Promise<void> {
    const standing = store.get(next.id);
    const document = { ...next, revision: (standing?.revision ?? 0) + 1 };
    await store.write("fuzz", () => ({ experiments: [{ document, what: "fuzzed" }] }));
    const kept = (await store.history(next.id)).at(-1)?.document;
    const found = store.get(next.id);
    if (canonicalJson(kept as never) !== canonicalJson(document as never) || !isDeepStrictEqual(found, kept))
      throw new Error("another experiment was read back than was kept");
  }

  async function analysed(experiment: Experiment): Promise<void> {
    await withLogFiles(
      { segments: segmentsOf(records), warehouse: join(folder, "warehouse"), threads: 1 },
      (files) =>
        analyzeExperiment({
          experiment,
          files,
          alpha: 0.05,
          asOf: new Date(clock.now() + 86_400_000),
          engine: duckDbEngine({ threads: 1 }),
          designs:
            experiment.kind === "interleave"
              ? {}
              : { segments: [{ of: "user", name: "country" }], novelty: true, overTime: true },
        }),
    );
  }
}

function parsed(text: string): Experiment {
  let written: unknown;
  try {
    written = JSON.parse(text);
  } catch {
    written = null;
  }
  const document = parseExperimentDocument(written, "body");
  validateExperiment(document, context);
  return revise(undefined, document, others);
}

export const experimentTargets: readonly Target[] = [
  {
    name: "experiment",
    share: 8,
    corpus: examples.map((one) => Buffer.from(JSON.stringify(one))),
    tokens: [
      ...["exp", "mate", "first", "control", "kd", "treated", "home", "radio", "user", "session", "request"],
      ...[
        "user.country",
        "context.device",
        "interleave",
        "running",
        "draft",
        "stopped",
        "completion",
        "play",
      ],
      ...["mean", "ratio", "quantile", "proportion", "count", "sum", "any", "last", "primary", "guardrail"],
      ...[
        "item.position <= 2",
        'item.features.x == "a"',
        "outcome.value > 1",
        "7d",
        "1h",
        "90d",
        "fixed",
        "artist",
      ],
      ...["it's", 'a"b', "a;b", "$1", "?"],
    ],
    mutate: (mutator, seed) => Buffer.from(mutator.json(seed.toString())),
    open,
  },
];

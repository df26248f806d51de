/** What operators and experimenters write: configuration, value models, expressions, manifests. */
import { readFileSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse as parseYaml } from "yaml";
import { settings } from "../../../src/config/environment.ts";
import { readWrittenExperiment } from "../../../src/config/experiment-files.ts";
import { loadConfig } from "../../../src/config.ts";
import { parseMetricFilter } from "../../../src/experiments/experiments.ts";
import { compileTargeting } from "../../../src/experiments/targeting.ts";
import { targetingInput } from "../../../src/experiments/targeting-input.ts";
import { planEntity } from "../../../src/features/encoder-plan.ts";
import { parseGolden } from "../../../src/inference/golden.ts";
import { parseManifest } from "../../../src/inference/manifest.ts";
import { duckDbDialect } from "../../../src/measurement/duckdb-dialect.ts";
import { filterSql } from "../../../src/measurement/filter-sql.ts";
import { rankCandidates } from "../../../src/ranking/ranking.ts";
import { parserOf } from "../../../src/schema/schema.ts";
import {
  checkValueModel,
  checkWeighedTasks,
  valueModelOverrideSchema,
} from "../../../src/schema/value-model.ts";
import { homeModel } from "../../support/feature-models.ts";
import type { Mutator } from "../mutator.ts";
import { accepts, type OpenTarget, type Target } from "../target.ts";

const root = join(import.meta.dirname, "../../..");
const fileText = (path: string): string => readFileSync(join(root, path), "utf8");
const buffers = (...texts: readonly string[]): Buffer[] => texts.map((text) => Buffer.from(text));
const asText = (mutator: Mutator, seed: Buffer): Buffer => Buffer.from(mutator.text(seed.toString()));
const asJson = (mutator: Mutator, seed: Buffer): Buffer => Buffer.from(mutator.json(seed.toString()));
/** YAML takes JSON too: half of what is tried keeps the language and damages the document. */
const asYaml = (mutator: Mutator, seed: Buffer): Buffer =>
  mutator.below(2) === 0
    ? asText(mutator, seed)
    : Buffer.from(mutator.json(JSON.stringify(parseYaml(seed.toString()))));

const pure = (take: OpenTarget["take"]): Target["open"] => {
  return async () => ({ take, close: async () => undefined });
};

/** One that reads a file of its own. */
function ofFile(name: string, take: (path: string, text: string) => Promise<boolean>): Target["open"] {
  return async () => {
    const folder = await mkdtemp(join(tmpdir(), "setlist-fuzz-"));
    const path = join(folder, name);
    return {
      take(input) {
        writeFileSync(path, input);
        return take(path, input.toString());
      },
      close: () => rm(folder, { recursive: true, force: true }),
    };
  };
}

const yamlTokens = [
  "- ",
  ": ",
  "\n",
  "  ",
  "#",
  "---\n",
  "&a",
  "*a",
  "<<: *a",
  "!!binary",
  "!!js/function",
  "? ",
  "|",
  ">-",
  "{",
  "}",
  "[",
  "]",
  "null",
  "~",
  "0o17",
  ".inf",
  ".nan",
];

const config: Target = {
  name: "config",
  share: 2,
  corpus: buffers(
    fileText("config/setlist.yaml"),
    "surfaces: { home: { defaultModel: { name: a, label: b }, shadow: { model: { name: c }, share: 0.5 }, valueModel: { diversity: [{ by: artist, decay: 0.5 }] } } }",
    "holdouts: { all: { share: 0.02, layers: [a], unit: user.household } }\nattributes: { user: { household: string } }",
    "shipping: { brokers: ['k:9092'], securityProtocol: SASL_SSL, saslUsername: a, tlsCaFile: /a }\nexperimentStore: { url: 'postgres://a@b/c' }",
    "inference: { versions: latest 2, perModel: { home-kd: { executionProviders: [cpu], versions: ['1', '2'] } } }",
    "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]",
  ),
  tokens: [...yamlTokens, "surfaces", "home", "defaultModel", "10m", "0", "latest", "share"],
  mutate: asYaml,
  open: ofFile("setlist.yaml", (path, text) =>
    accepts(() => structuredClone(loadConfig({ flags: { config: path }, env: {}, cwd: "/" })), text),
  ),
};

const environment: Target = {
  name: "environment",
  share: 1,
  corpus: buffers(
    JSON.stringify(Object.fromEntries(settings.map(({ variable }) => [variable, ""]))),
    JSON.stringify({
      SETLIST_HTTP_PORT: "0",
      SETLIST_LOG_SEGMENT_AGE_MAX: "10m",
      SETLIST_SHIPPING_BROKERS: "a:1, b:2",
      SETLIST_LOG_SERVED_FEATURES_SHARE: "0.5",
      SETLIST_WAREHOUSE_COMPACT: "true",
      SETLIST_LOG_USER_ID_KEY: "x".repeat(64),
      SETLIST_EXPERIMENT_STORE_URL: "postgres://u:p@h/d",
    }),
  ),
  tokens: ["true", "1e3", "10m", "-1", "00", "\uff11", ...settings.map(({ variable }) => variable)],
  mutate: asJson,
  open: pure((input) => {
    let env: unknown;
    try {
      env = JSON.parse(input.toString());
    } catch {
      return false;
    }
    const texts = Object.entries(env ?? {}).map(([name, value]) => [
      name,
      String(JSON.stringify(value)).replaceAll('"', ""),
    ]);
    return accepts(
      () => loadConfig({ flags: {}, env: Object.fromEntries(texts), cwd: "/" }),
      input.toString(),
    );
  }),
};

const parseValueModel = parserOf(valueModelOverrideSchema);
const scored = {
  candidates: ["a", "b", "c"].map((id) => ({ id })),
  probabilities: Float32Array.of(0.1, 0.9, 0.5),
  limit: undefined,
};

const valueModel: Target = {
  name: "value-model",
  share: 4,
  corpus: buffers(
    '{"kind":"weighted-sum","weights":{"click":1},"powers":{"click":2},"diversity":[{"by":"artist","decay":0.5,"floor":0.1}]}',
    '{"kind":"weighted-product","weights":{"click":0.5}}',
    '{"diversity":[]}',
  ),
  tokens: ["click", "kind", "weights", "powers", "diversity", "by", "decay", "floor", "weighted-sum"],
  mutate: asJson,
  open: pure((input) => {
    const text = input.toString();
    return accepts(() => {
      const parsed = parseValueModel(jsonOf(text), "valueModel");
      checkValueModel(parsed, "valueModel");
      checkWeighedTasks(parsed, "valueModel", homeModel.tasks);
      const items = rankCandidates({ ...scored, model: homeModel, armValueModel: parsed } as never);
      if (items.length !== 3 || items.some(({ score }) => !Number.isFinite(score)))
        throw new Error(`scores that are none: ${JSON.stringify(items)}`);
    }, text);
  }),
};

/** What is no JSON is the door's business, and tried there. */
function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

const celTokens = [
  "user",
  "context",
  ".country",
  ".age",
  "==",
  "!=",
  "<",
  "&&",
  "||",
  "!",
  "(",
  ")",
  "[",
  "]",
  ",",
  "in",
  "'DE'",
  "1",
  "1.0",
  "2u",
  "null",
  "true",
  "?",
  ":",
  "+",
  "%",
  "/0",
  ".all(x,",
  ".map(x,",
  ".exists_one(x,",
  ".filter(x,",
  "x",
  ".matches(",
  "'(a+)+$'",
  "size(",
  "has(",
  "b'a'",
  "duration('1s')",
  "timestamp('2026-01-01T00:00:00Z')",
  "{'a': 1}",
  "type(",
  "dyn(",
  "int(",
  "string(",
  "@result",
  "r'\\d'",
  '"""',
  "//",
];
const declared = {
  user: { country: "string", age: "number", new: "bool" },
  context: { device: "string" },
} as const;
const facts = targetingInput({
  user: { country: "a".repeat(30), age: 3, new: true },
  context: { device: "ios", huge: "ab".repeat(50_000) },
});

/** A document's schema lets no longer one come so far. */
const expressionMax = 4_096;

const targeting: Target = {
  name: "targeting",
  share: 6,
  corpus: buffers(
    "user.country in ['DE', 'AT'] && context.device == 'ios'",
    "user.age >= 18 && !(user.new == true) || has(user.country)",
    "user.country.matches('^(a|b)*$') ? context.device.startsWith('i') : size(user.country) > 2",
    "['a', 'b'].exists(x, x == user.country)",
    "string(user.age) + user.country == '3a' && int(user.age) % 2 == 1",
    "context.huge.contains('ba') && 'x' in ['y'].map(z, z + user.country)",
  ),
  tokens: celTokens,
  mutate: asText,
  open: pure(async (input) => {
    const text = input.toString();
    if (text.length > expressionMax) return false;
    await accepts(() => compileTargeting(text, declared), text);
    return accepts(() => {
      const compiled = compileTargeting(text);
      const refusal = compiled.refusal(facts);
      if (compiled.admits(facts) !== (refusal === undefined)) throw new Error("admitted and refused");
    }, text);
  }),
};

const filter: Target = {
  name: "filter",
  share: 6,
  corpus: buffers(
    "item.position <= 3 && outcome.value > 1.0",
    'item.features.genre == "jazz" || item.features["a-b"] >= 2',
    "outcome.type.startsWith('pl') && !(item.id in ['a', 'b'])",
    "has(item.features.age) && item.features.new == true",
  ),
  tokens: [
    ...celTokens,
    "outcome.value",
    "outcome.type",
    "item.id",
    "item.position",
    "item.features",
    '.contains("a")',
    "'''",
  ],
  mutate: asText,
  open: pure((input) => {
    const text = input.toString();
    if (text.length > expressionMax) return false;
    return accepts(() => {
      if (
        filterSql(duckDbDialect, parseMetricFilter(text, "filter")).includes("undefined") &&
        !text.includes("undefined")
      )
        throw new Error("SQL with undefined in it");
    }, text);
  }),
};

const tinyManifest = fileText("test/support/models/linear/1/manifest.json");
const tinyGolden = fileText("test/support/models/linear/1/golden.json");
const linear = { name: "linear", version: "1" };

const manifest: Target = {
  name: "manifest",
  share: 4,
  corpus: buffers(tinyManifest, fileText("models/repository/home-control/1/manifest.json")),
  tokens: [
    "candidates",
    "requests",
    "float32",
    "int32",
    "user",
    "item",
    "row",
    "hash",
    "vocabulary",
    "number",
    "../model.onnx",
    "/dev/zero",
    "model.onnx",
    "features",
    "golden",
  ],
  mutate: asJson,
  open: pure((input) => {
    const text = input.toString();
    return accepts(() => {
      const { model, file, goldenFile = "a", split } = parseManifest(text, "manifest.json", linear);
      for (const name of [file, goldenFile, split?.item.file ?? "a", split?.request.file ?? "a"])
        if (join("/m", name) !== `/m/${name}` || name.includes("/"))
          throw new Error(`${name} leads out of the folder`);
      for (const entity of ["user", "item", "context"] as const) planEntity(model, entity);
      JSON.stringify(model);
    }, text);
  }),
};

const goldenManifest = parseManifest(tinyManifest, "manifest.json", linear);
const golden: Target = {
  name: "golden",
  share: 2,
  corpus: buffers(tinyGolden),
  tokens: ["dims", "data", "inputs", "output", "tolerance"],
  mutate: asJson,
  open: pure((input) =>
    accepts(() => parseGolden(input.toString(), "golden.json", goldenManifest), input.toString()),
  ),
};

const experimentFile: Target = {
  name: "experiment-file",
  share: 2,
  corpus: buffers(fileText("config/experiments/home-kd.yaml"), fileText("config/experiments/radio-kd.yaml")),
  tokens: [...yamlTokens, "arms", "control", "metrics", "plan"],
  mutate: asYaml,
  open: ofFile("one.yaml", (path, text) => accepts(() => readWrittenExperiment(path), text)),
};

export const documentTargets: readonly Target[] = [
  config,
  environment,
  valueModel,
  targeting,
  filter,
  manifest,
  golden,
  experimentFile,
];

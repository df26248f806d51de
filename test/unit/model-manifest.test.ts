import { describe, expect, test } from "vitest";
import { parseManifest } from "../../src/inference/manifest.ts";
import { type ManifestJson, manifestOf } from "../support/tiny-models.ts";

const linear = await manifestOf("linear");
const folder = { name: "linear", version: "1" };

function parse(change: (manifest: ManifestJson) => void, place = folder): unknown {
  const manifest = structuredClone(linear);
  change(manifest);
  return parseManifest(JSON.stringify(manifest), "models/linear/1/manifest.json", place);
}

/** The feature of that name; the manifest of `linear` has each once. */
function feature(manifest: ManifestJson, name: string): Record<string, unknown> {
  const found = manifest.features.find((one) => one["name"] === name);
  if (found === undefined) throw new Error(`linear has no feature ${name}`);
  return found;
}

function input(manifest: ManifestJson, name: string): Record<string, unknown> {
  const found = manifest.inputs.find((one) => one["name"] === name);
  if (found === undefined) throw new Error(`linear has no input ${name}`);
  return found;
}

describe("a manifest that fits together", () => {
  test("becomes the model that it describes", () => {
    const manifest = parseManifest(JSON.stringify(linear), "m.json", folder);
    expect(manifest).toMatchObject({
      outputName: "probabilities",
      file: "model.onnx",
      goldenFile: "golden.json",
      sha256: linear["sha256"],
      model: {
        name: "linear",
        version: "1",
        surface: "home",
        tasks: ["click", "like"],
        valueModel: { kind: "weighted-sum", weights: { click: 1, like: 2 } },
      },
    });
    expect(manifest.model.inputs).toContainEqual({
      name: "item_numbers",
      dtype: "float32",
      entity: "item",
      columns: 3,
    });
    expect(manifest.model.inputs).toContainEqual({
      name: "request_row",
      dtype: "int32",
      entity: "row",
      columns: undefined,
    });
    expect(manifest.model.features).toContainEqual({
      name: "id",
      entity: "item",
      input: "item_indices",
      offset: 1,
      width: 1,
      encoding: { kind: "hash", buckets: 64 },
      default: [],
    });
  });

  test("may leave the golden example out and say anything in its provenance", () => {
    expect(() =>
      parse((manifest) => {
        delete manifest["golden"];
        manifest["provenance"] = { anything: [1, { at: "all" }] };
      }),
    ).not.toThrow();
  });

  test("may fill two inputs with one feature", () => {
    expect(() =>
      parse((manifest) => Object.assign(feature(manifest, "artist"), { name: "id" })),
    ).not.toThrow();
  });
});

const broken: [what: string, change: (manifest: ManifestJson) => void, sentence: RegExp][] = [
  [
    "an unknown field",
    (m) => Object.assign(m, { sha257: "" }),
    /sha257: unknown field \(did you mean "sha256"\?\)/,
  ],
  [
    "an unknown field deep inside",
    (m) => Object.assign(feature(m, "content"), { withd: 2 }),
    /features\[3\]\.withd: unknown field \(did you mean "width"\?\)/,
  ],
  ["a missing field", (m) => delete m["tasks"], /tasks: expected, but missing/],
  [
    "another schema version",
    (m) => Object.assign(m, { schemaVersion: 2 }),
    /schemaVersion: expected one of 1, got 2/,
  ],
  [
    "another name than its folder's",
    (m) => Object.assign(m, { name: "other" }),
    /name: expected "linear", the model's folder, got "other"/,
  ],
  [
    "another version than its folder's",
    (m) => Object.assign(m, { version: "2" }),
    /version: expected "1", the version's folder, got "2"/,
  ],
  [
    "a file outside its folder",
    (m) => Object.assign(m, { file: "../model.onnx" }),
    /^[^ ]+: file: .*"\.\.\/model\.onnx"/,
  ],
  ["an absolute file", (m) => Object.assign(m, { file: "/etc/passwd" }), /^[^ ]+: file: /],
  ["the folder itself as its file", (m) => Object.assign(m, { file: ".." }), /^[^ ]+: file: /],
  [
    "a golden file outside its folder",
    (m) => Object.assign(m, { golden: { file: "a/../../golden.json" } }),
    /golden\.file: /,
  ],
  ["a checksum that is none", (m) => Object.assign(m, { sha256: "abc" }), /sha256: .*"abc"/],
  ["no tasks", (m) => Object.assign(m, { tasks: [] }), /tasks: /],
  [
    "a task twice",
    (m) => Object.assign(m, { tasks: ["click", "click"] }),
    /tasks: expected each name once, got "click" twice/,
  ],
  [
    "an output of another width than its tasks",
    (m) => Object.assign(m.output, { shape: ["candidates", 3] }),
    /output\.shape: expected \["candidates",2\], got \["candidates",3\]/,
  ],
  [
    "an output of another dtype",
    (m) => Object.assign(m.output, { dtype: "float64" }),
    /output\.dtype: expected .*float32, got "float64"/,
  ],
  [
    "an input of an unknown dtype",
    (m) => Object.assign(input(m, "item_indices"), { dtype: "int64" }),
    /inputs\[3\]\.dtype: expected one of float32, int32, got "int64"/,
  ],
  [
    "more columns than a row may have",
    (m) => Object.assign(input(m, "item_indices"), { shape: ["candidates", 2 ** 53] }),
    /inputs\[3\]\.shape: expected at most 65536 columns, got 9007199254740992/,
  ],
  [
    "an input twice",
    (m) => Object.assign(input(m, "item_indices"), { name: "item_numbers" }),
    /inputs: expected each name once, got "item_numbers" twice/,
  ],
  [
    "user rows for each candidate",
    (m) => Object.assign(input(m, "user_numbers"), { shape: ["candidates", 2] }),
    /inputs\[0\]\.shape: expected \["requests", a number of columns\] for input user_numbers of entity user, got \["candidates",2\]/,
  ],
  [
    "item rows for each request",
    (m) => Object.assign(input(m, "item_numbers"), { shape: ["requests", 3] }),
    /inputs\[2\]\.shape: expected \["candidates", a number of columns\]/,
  ],
  [
    "an input without columns",
    (m) => Object.assign(input(m, "item_numbers"), { shape: ["candidates", 0] }),
    /inputs\[2\]\.shape: expected .* got \["candidates",0\]/,
  ],
  [
    "a row input of floats",
    (m) => Object.assign(input(m, "request_row"), { dtype: "float32" }),
    /inputs\[4\]\.dtype: expected "int32", input request_row of entity row, got "float32"/,
  ],
  [
    "a row input with columns",
    (m) => Object.assign(input(m, "request_row"), { shape: ["candidates", 1] }),
    /inputs\[4\]\.shape: expected \["candidates"\], got \["candidates",1\]/,
  ],
  [
    "user rows that nothing joins to candidates",
    (m) => m.inputs.splice(4, 1),
    /expected an input of entity row, which joins each candidate to its row of user_numbers, got none/,
  ],
  [
    "no item input",
    (m) => m.inputs.splice(2, 2),
    /inputs: expected at least one input of entity item, got none/,
  ],
  [
    "a feature of an unknown input",
    (m) => Object.assign(feature(m, "content"), { input: "item_number" }),
    /features\[3\]\.input: expected an input, got "item_number" \(did you mean "item_numbers"\?\)/,
  ],
  [
    "a feature of another entity than its input",
    (m) => Object.assign(feature(m, "content"), { entity: "user" }),
    /features\[3\]\.entity: expected "item", that of its input item_numbers, got "user"/,
  ],
  [
    "a feature past its input's end",
    (m) => Object.assign(feature(m, "content"), { offset: 2 }),
    /features\[3\]: expected content to fit the 3 columns of input item_numbers, got columns 2 to 3/,
  ],
  [
    "features that overlap",
    (m) => Object.assign(feature(m, "content"), { offset: 0 }),
    /features: expected one feature for column 0 of input item_numbers, got popularity and content/,
  ],
  [
    "a column that nothing fills",
    (m) => m.features.splice(3, 1),
    /features: expected a feature for column 1 of input item_numbers, got none/,
  ],
  [
    "a number in an input of indices",
    (m) => Object.assign(feature(m, "genre"), { encoding: { kind: "number" }, default: [0] }),
    /features\[4\]\.encoding\.kind: number needs an input of dtype float32, but item_indices has int32/,
  ],
  [
    "a hash in an input of numbers",
    (m) => Object.assign(feature(m, "popularity"), { encoding: { kind: "hash", buckets: 8 }, default: [] }),
    /features\[2\]\.encoding\.kind: hash needs an input of dtype int32, but item_numbers has float32/,
  ],
  [
    "a hash without buckets",
    (m) => Object.assign(feature(m, "id"), { encoding: { kind: "hash" } }),
    /features\[5\]\.encoding\.buckets: expected with kind hash, but missing/,
  ],
  [
    "a vocabulary without values",
    (m) => Object.assign(feature(m, "genre"), { encoding: { kind: "vocabulary" } }),
    /features\[4\]\.encoding\.values: expected with kind vocabulary, but missing/,
  ],
  [
    "a vocabulary with a value twice",
    (m) => Object.assign(feature(m, "genre"), { encoding: { kind: "vocabulary", values: ["pop", "pop"] } }),
    /features\[4\]\.encoding\.values: expected each name once, got "pop" twice/,
  ],
  [
    "buckets that no hash uses",
    (m) => Object.assign(feature(m, "popularity"), { encoding: { kind: "number", buckets: 8 } }),
    /features\[2\]\.encoding\.buckets: expected only with kind hash, got kind number/,
  ],
  [
    "values that no vocabulary uses",
    (m) => Object.assign(feature(m, "id"), { encoding: { kind: "hash", buckets: 8, values: ["a"] } }),
    /features\[5\]\.encoding\.values: expected only with kind vocabulary, got kind hash/,
  ],
  [
    "more buckets than an index can name",
    (m) => Object.assign(feature(m, "id"), { encoding: { kind: "hash", buckets: 2 ** 31 } }),
    /features\[5\]\.encoding\.buckets: /,
  ],
  [
    "a default of another width",
    (m) => Object.assign(feature(m, "content"), { default: [0] }),
    /features\[3\]\.default: expected 2 numbers, the width of content, got \[0\]/,
  ],
  [
    "a default beyond float32",
    (m) => Object.assign(feature(m, "content"), { default: [1e39, 0] }),
    /features\[3\]\.default: expected numbers that a float32 can hold, got 1e\+39/,
  ],
  [
    "a default of strings for a number",
    (m) => Object.assign(feature(m, "content"), { default: ["a", "b"] }),
    /features\[3\]\.default: expected 2 numbers/,
  ],
  [
    "a default of numbers for a hash",
    (m) => Object.assign(feature(m, "artist"), { default: [1] }),
    /features\[6\]\.default: expected at most 1 strings, the width of artist, got \[1\]/,
  ],
  [
    "a default of too many strings",
    (m) => Object.assign(feature(m, "artist"), { default: ["a", "b"] }),
    /features\[6\]\.default: expected at most 1 strings/,
  ],
  [
    "a default outside its vocabulary",
    (m) => Object.assign(feature(m, "genre"), { default: ["popp"] }),
    /features\[4\]\.default: expected values of the vocabulary, got "popp" \(did you mean "pop"\?\)/,
  ],
  [
    "an id as a number",
    (m) => Object.assign(feature(m, "popularity"), { name: "id" }),
    /features\[2\]\.encoding\.kind: expected hash or vocabulary for an id, got number/,
  ],
  [
    "a weight of an unknown task",
    (m) => Object.assign(m.valueModel.weights, { clik: 1 }),
    /valueModel\.weights\.clik: expected a task \(did you mean "click"\?\)/,
  ],
  [
    "a value model without weights",
    (m) => Object.assign(m.valueModel, { weights: {} }),
    /valueModel\.weights: /,
  ],
  [
    "an unknown value model",
    (m) => Object.assign(m.valueModel, { kind: "sum" }),
    /valueModel\.kind: expected one of weighted-sum, weighted-product, got "sum"/,
  ],
  [
    "an unknown field of a value model",
    (m) => Object.assign(m.valueModel, { wieghts: {} }),
    /valueModel\.wieghts: unknown field \(did you mean "weights"\?\)/,
  ],
  [
    "a power of a task without a weight",
    (m) => Object.assign(m.valueModel, { powers: { clik: 2 } }),
    /valueModel\.powers\.clik: expected a task that has a weight \(did you mean "click"\?\)/,
  ],
  [
    "a power that is not above 0",
    (m) => Object.assign(m.valueModel, { powers: { click: 0 } }),
    /valueModel\.powers\.click: must be > 0, got 0/,
  ],
  [
    "a decay above 1",
    (m) => Object.assign(m.valueModel, { diversity: [{ by: "artist", decay: 1.5 }] }),
    /valueModel\.diversity\[0\]\.decay: must be <= 1, got 1\.5/,
  ],
];

describe("a manifest is refused, with its file and field, for", () => {
  test.each(broken)("%s", (_what, change, sentence) => {
    expect(() => parse(change)).toThrow(sentence);
    expect(() => parse(change)).toThrow(/^models\/linear\/1\/manifest\.json: /);
  });

  test("text that is no JSON", () => {
    expect(() => parseManifest("{", "m.json", folder)).toThrow(/^m\.json: expected JSON: /);
  });

  test("an infinite number", () => {
    const text = JSON.stringify(linear).replace('"click":1', '"click":1e999');
    expect(() => parseManifest(text, "m.json", folder)).toThrow(/valueModel\.weights\.click: .*not finite/);
  });
});

import { execFileSync } from "node:child_process";
import { cp, mkdir, readFile, rename, rm, symlink, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { SetlistError } from "../../src/domain/error.ts";
import type { Scorer } from "../../src/domain/scorer.ts";
import { openScorer, type ScorerOptions } from "../../src/inference/inference.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import {
  type ManifestJson,
  openTinyScorer,
  realClock,
  repositoryWith,
  sha256,
  tinyModels,
} from "../support/tiny-models.ts";

/** The sentence with which a start is refused. */
async function refusal(repository: string, options: Partial<ScorerOptions> = {}): Promise<string> {
  const opened = openScorer({
    repository,
    workers: 1,
    batchRowsMax: 8,
    queueRequestsMax: 8,
    clock: realClock,
    ...options,
  });
  const error: unknown = await opened.then(
    (scorer) => scorer.close(),
    (refused: unknown) => refused,
  );
  expect(error).toBeInstanceOf(SetlistError);
  expect(error).toMatchObject({ code: "INVALID_ARGUMENT" });
  return (error as SetlistError).message;
}

/** The tiny model `linear` as versions of itself, and whatever `arrange` adds. */
async function versions(...numbers: string[]): Promise<string> {
  const repository = await temporaryFolder();
  for (const version of numbers) {
    const folder = join(repository, "linear", version);
    await cp(join(tinyModels, "linear", "1"), folder, { recursive: true });
    const path = join(folder, "manifest.json");
    const manifest = JSON.parse(await readFile(path, "utf8")) as ManifestJson;
    await writeFile(path, JSON.stringify({ ...manifest, version }));
  }
  return repository;
}

async function openAt(repository: string, options: Partial<ScorerOptions> = {}): Promise<Scorer> {
  return openTinyScorer({ repository, batchRowsMax: 8, ...options });
}

const names = (scorer: Scorer): string[] => scorer.models().map((model) => `${model.name}/${model.version}`);

describe("which models are loaded", () => {
  test("all of them, where none is asked for", async () => {
    const scorer = await openAt(tinyModels);
    expect(names(scorer)).toEqual(["brittle/1", "curved/1", "linear/1", "slow/1"]);
    expect(scorer.resolve({ name: "linear" })).toMatchObject({
      name: "linear",
      version: "1",
      surface: "home",
    });
    expect(scorer.resolve({ name: "linear", version: "1" })).toBe(scorer.resolve({ name: "linear" }));
    expect(scorer.resolve({ name: "linear", version: "2" })).toBeUndefined();
    expect(scorer.resolve({ name: "absent" })).toBeUndefined();
  });

  test("a reference without a version means the highest, counted as numbers", async () => {
    const repository = await versions("2", "9", "10");
    const all = await openAt(repository);
    expect(names(all)).toEqual(["linear/2", "linear/9", "linear/10"]);
    expect(all.resolve({ name: "linear" })?.version).toBe("10");
    const highest = await openAt(repository, { models: [{ name: "linear" }] });
    expect(names(highest)).toEqual(["linear/10"]);
  });

  test("the highest of those asked for, in whatever order they were", async () => {
    const repository = await versions("1", "2");
    const models = [
      { name: "linear", version: "2" },
      { name: "linear", version: "1" },
    ];
    const scorer = await openAt(repository, { models });
    expect(scorer.resolve({ name: "linear" })?.version).toBe("2");
  });

  test("what is no model is ignored with a warning, hidden entries and files without one", async () => {
    const repository = await versions("1");
    await mkdir(join(repository, "linear", "latest"));
    await mkdir(join(repository, "linear", "01"));
    await mkdir(join(repository, "linear", "1000000000"));
    await mkdir(join(repository, "Linear_2"));
    await mkdir(join(repository, "empty"));
    await mkdir(join(repository, ".git"));
    await writeFile(join(repository, "README.md"), "");
    const warnings: string[] = [];
    const scorer = await openAt(repository, { onWarning: (warning) => warnings.push(warning) });
    expect(names(scorer)).toEqual(["linear/1"]);
    expect(warnings.sort()).toEqual([
      `${join(repository, "Linear_2")}: ignored, a model's folder is named [a-z0-9-]{1,64}`,
      `${join(repository, "empty")}: ignored, it holds no version`,
      `${join(repository, "linear", "01")}: ignored, a version's folder is a whole number from 1 to 999999999`,
      `${join(repository, "linear", "1000000000")}: ignored, a version's folder is a whole number from 1 to 999999999`,
      `${join(repository, "linear", "latest")}: ignored, a version's folder is a whole number from 1 to 999999999`,
    ]);
  });

  test("students alone, unless teachers are asked for", async () => {
    const { repository } = await repositoryWith("linear", (manifest) => {
      manifest["role"] = "teacher";
    });
    await cp(join(tinyModels, "brittle"), join(repository, "brittle"), { recursive: true });
    const students = await openAt(repository);
    expect(names(students)).toEqual(["brittle/1"]);
    expect(students.resolve({ name: "brittle" })?.role).toBe("student");
    const teachers = await openAt(repository, { role: "teacher" });
    expect(names(teachers)).toEqual(["linear/1"]);
    expect(teachers.resolve({ name: "linear" })?.role).toBe("teacher");
  });

  test("a version may be a link, as deployments make them", async () => {
    const { repository, folder } = await repositoryWith("linear");
    const elsewhere = join(await temporaryFolder(), "kept");
    await rename(folder, elsewhere);
    await symlink(elsewhere, folder);
    expect(names(await openAt(repository))).toEqual(["linear/1"]);
  });
});

describe("a start is refused with a sentence that names file, expected and found", () => {
  test("no repository", async () => {
    const repository = join(await temporaryFolder(), "absent");
    expect(await refusal(repository)).toBe(`${repository}: expected a folder of models, found nothing there`);
  });

  test("an empty repository", async () => {
    const repository = await temporaryFolder();
    expect(await refusal(repository)).toBe(
      `${repository}: expected at least one model, <name>/<version>/manifest.json, found none`,
    );
  });

  test("a model that is not there", async () => {
    expect(await refusal(tinyModels, { models: [{ name: "liner" }] })).toBe(
      `${tinyModels}: expected a model "liner", found none (did you mean "linear"?)`,
    );
  });

  test("a version that is not there", async () => {
    const repository = await versions("1", "3");
    expect(await refusal(repository, { models: [{ name: "linear", version: "2" }] })).toBe(
      `${join(repository, "linear")}: expected version 2, found 1, 3`,
    );
  });

  test("a teacher among the models to serve", async () => {
    const { repository, folder } = await repositoryWith("linear", (manifest) => {
      manifest["role"] = "teacher";
    });
    const path = join(folder, "manifest.json");
    expect(await refusal(repository, { models: [{ name: "linear" }] })).toBe(
      `${path}: role: expected "student", found "teacher"`,
    );
    expect(await refusal(repository)).toBe(
      `${path}: role: expected "student" of at least one model, found "teacher"`,
    );
  });

  test("no manifest", async () => {
    const { repository, folder } = await repositoryWith("linear");
    await rm(join(folder, "manifest.json"));
    expect(await refusal(repository)).toBe(
      `${join(folder, "manifest.json")}: expected the model's manifest, found nothing there`,
    );
  });

  test("a manifest that is wrong", async () => {
    const { repository, folder } = await repositoryWith("linear", (manifest) => {
      manifest["tasks"] = "click";
    });
    expect(await refusal(repository)).toBe(
      `${join(folder, "manifest.json")}: tasks: expected array, got string`,
    );
  });

  test("no model file", async () => {
    const { repository, folder } = await repositoryWith("linear");
    await rm(join(folder, "model.onnx"));
    expect(await refusal(repository)).toBe(
      `${join(folder, "model.onnx")}: expected the file of ${join(folder, "manifest.json")}, found nothing there`,
    );
  });

  test("a model file of another checksum", async () => {
    const { repository, folder } = await repositoryWith("linear");
    const path = join(folder, "model.onnx");
    const data = await readFile(path);
    const before = sha256(data);
    data[100] = (data[100] ?? 0) ^ 1;
    await writeFile(path, data);
    expect(await refusal(repository)).toBe(
      `${path}: expected sha256 ${before}, as ${join(folder, "manifest.json")} says, found ${sha256(data)}; was one changed without the other?`,
    );
  });

  test("a file that is no ONNX model", async () => {
    const data = Buffer.from("not a model");
    const { repository, folder } = await repositoryWith("linear", (manifest) => {
      manifest["sha256"] = sha256(data);
    });
    await writeFile(join(folder, "model.onnx"), data);
    expect(await refusal(repository)).toMatch(
      new RegExp(`^${join(folder, "model.onnx")}: expected a model for ONNX Runtime to load, found: .+`),
    );
  });

  test("an input that the manifest does not describe", async () => {
    const { repository, folder } = await repositoryWith("linear", (manifest) => {
      manifest.inputs.splice(1, 1);
      manifest.features.splice(1, 1);
      delete manifest["golden"];
    });
    expect(await refusal(repository)).toBe(
      `${join(folder, "model.onnx")}: expected the inputs that its manifest describes (user_numbers, item_numbers, item_indices, request_row), found input "context_indices" as well`,
    );
  });

  test("an input that the model does not have", async () => {
    const { repository, folder } = await repositoryWith("brittle", (manifest) => {
      manifest.inputs.push({ name: "request_row", dtype: "int32", shape: ["candidates"], entity: "row" });
    });
    expect(await refusal(repository)).toBe(
      `${join(folder, "model.onnx")}: expected input "request_row", which its manifest describes, found only item_numbers, item_indices`,
    );
  });

  test("an input of another shape", async () => {
    const { repository, folder } = await repositoryWith("brittle", (manifest) => {
      Object.assign(manifest.inputs[0] ?? {}, { shape: ["candidates", 2] });
      Object.assign(manifest.features[1] ?? {}, { width: 1, default: [0] });
    });
    expect(await refusal(repository)).toBe(
      `${join(folder, "model.onnx")}: expected input item_numbers to be float32 ["candidates",2], as its manifest says, found float32 ["candidates",3]`,
    );
  });

  test("an input of another dtype", async () => {
    const { repository, folder } = await repositoryWith("brittle", (manifest) => {
      Object.assign(manifest.inputs[0] ?? {}, { dtype: "int32" });
      const hashed = { encoding: { kind: "hash", buckets: 4 }, default: [] };
      Object.assign(manifest.features[0] ?? {}, hashed);
      Object.assign(manifest.features[1] ?? {}, hashed);
    });
    expect(await refusal(repository)).toBe(
      `${join(folder, "model.onnx")}: expected input item_numbers to be int32 ["candidates",3], as its manifest says, found float32 ["candidates",3]`,
    );
  });

  test("an output of another name", async () => {
    const { repository, folder } = await repositoryWith("brittle", (manifest) => {
      manifest.output["name"] = "probability";
    });
    expect(await refusal(repository)).toBe(
      `${join(folder, "model.onnx")}: expected the outputs that its manifest describes (probability), found output "probabilities" as well`,
    );
  });

  test("more tasks than the output has columns", async () => {
    const { repository, folder } = await repositoryWith("brittle", (manifest) => {
      manifest["tasks"] = ["click", "like"];
      manifest.output["shape"] = ["candidates", 2];
    });
    expect(await refusal(repository)).toBe(
      `${join(folder, "model.onnx")}: expected output probabilities to be float32 ["candidates",2], as its manifest says, found float32 ["candidates",1]`,
    );
  });
});

describe("the golden example", () => {
  /** `linear` with a golden example that `change` has changed. */
  async function withGolden(
    change: (golden: Golden) => unknown,
  ): Promise<{ repository: string; path: string }> {
    const { repository, folder } = await repositoryWith("linear");
    const path = join(folder, "golden.json");
    const golden = JSON.parse(await readFile(path, "utf8")) as Golden;
    change(golden);
    await writeFile(path, JSON.stringify(golden));
    return { repository, path };
  }
  interface Golden {
    inputs: Record<string, { dims: number[]; data: number[] }>;
    output: { dims: number[]; data: number[] };
    tolerance: number;
  }

  test("whose answer differs stops the start and says where", async () => {
    const { repository, path } = await withGolden((golden) => {
      golden.output.data[3] = 0.11;
    });
    expect(await refusal(repository)).toMatch(
      `${path}: expected like of candidate 1 to be 0.11 within 0.000001, found 0.10000000149011612;`,
    );
  });

  test("that the model answers with no number stops the start", async () => {
    const { repository, folder } = await repositoryWith("brittle", (manifest) => {
      manifest["golden"] = { file: "golden.json" };
    });
    const path = join(folder, "golden.json");
    const inputs = {
      item_numbers: { dims: [1, 3], data: [-1, 0, 0] },
      item_indices: { dims: [1, 3], data: [0, 0, 0] },
    };
    await writeFile(path, JSON.stringify({ inputs, output: { dims: [1, 1], data: [0.5] }, tolerance: 0.1 }));
    expect(await refusal(repository)).toContain(
      `${path}: expected click of candidate 0 to be 0.5 within 0.1, found NaN;`,
    );
  });

  test("whose answer differs by less than its tolerance does not", async () => {
    const { repository } = await withGolden((golden) => {
      golden.output.data[3] = 0.11;
      golden.tolerance = 0.02;
    });
    expect(names(await openAt(repository))).toEqual(["linear/1"]);
  });

  test.each<[string, (golden: Golden) => unknown, string]>([
    [
      "lacks an input",
      (golden) => delete golden.inputs["user_numbers"],
      "inputs.user_numbers: expected, but missing",
    ],
    [
      "has an input that the model has not",
      (golden) => Object.assign(golden.inputs, { item_numbrs: { dims: [1], data: [1] } }),
      'inputs.item_numbrs: unknown input (did you mean "item_numbers"?)',
    ],
    [
      "has other dimensions",
      (golden) => Object.assign(golden.inputs["item_numbers"] ?? {}, { dims: [3, 2] }),
      "inputs.item_numbers.dims: expected [3,3], got [3,2]",
    ],
    [
      "lacks numbers",
      (golden) => golden.inputs["item_numbers"]?.data.pop(),
      "inputs.item_numbers.data: expected 9 numbers, got 8",
    ],
    [
      "joins a candidate to no request",
      (golden) => Object.assign(golden.inputs["request_row"] ?? {}, { data: [0, 1, 2] }),
      "inputs.request_row.data: expected rows from 0 to 1",
    ],
    [
      "has no tolerance",
      (golden) => Object.assign(golden, { tolerance: 0 }),
      "tolerance: must be > 0, got 0",
    ],
  ])("that %s is refused", async (_what, change, sentence) => {
    const { repository, path } = await withGolden(change);
    expect(await refusal(repository)).toBe(`${path}: ${sentence}`);
  });

  test("that is no JSON is refused", async () => {
    const { repository, path } = await withGolden(() => undefined);
    await writeFile(path, "{");
    expect(await refusal(repository)).toMatch(`${path}: `);
  });
});

test("the committed models load, with golden examples that their recipe computed", async () => {
  const scorer = await openScorer({
    repository: join(import.meta.dirname, "../../models/repository"),
    workers: 1,
    batchRowsMax: 256,
    queueRequestsMax: 8,
    clock: realClock,
  });
  onTestFinished(() => scorer.close());
  expect(names(scorer)).toEqual(["home-control/1", "home-kd/1", "radio-control/1", "radio-kd/1"]);
});

describe.each([
  ["manifest.json", "the model's manifest"],
  ["golden.json", "the golden example of the manifest"],
  ["model.onnx", "the file of"],
])("%s is refused at once where it is", (name, what) => {
  const isNoFile = "but it cannot be read (it is no regular file)";

  test("a pipe, which would be waited for", async () => {
    const { repository, folder } = await repositoryWith("linear");
    await rm(join(folder, name));
    execFileSync("mkfifo", [join(folder, name)]);
    const said = await refusal(repository);
    expect(said).toContain(`${join(folder, name)}: expected ${what}`);
    expect(said).toContain(isNoFile);
  });

  test("a device, which never ends", async () => {
    const { repository, folder } = await repositoryWith("linear");
    await rm(join(folder, name));
    await symlink("/dev/zero", join(folder, name));
    expect(await refusal(repository)).toContain(isNoFile);
  });
});

test("a manifest is read no further than one can be long", async () => {
  const { repository, folder } = await repositoryWith("linear");
  await truncate(join(folder, "manifest.json"), 1_000_000_000);
  expect(await refusal(repository)).toContain("(it has more than 33554432 bytes)");
});

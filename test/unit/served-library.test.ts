import { cp, mkdir, readdir, readFile, readlink, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import type { ModelLabel, ModelLabelStore, ModelNeed } from "../../src/domain/model-life.ts";
import { LoadedModels } from "../../src/inference/loaded-models.ts";
import type { EngineStart, ModelEngine } from "../../src/inference/model-engine.ts";
import type { StoredModel } from "../../src/inference/repository.ts";
import { ServedLibrary } from "../../src/inference/served-library.ts";
import type { VersionPolicy } from "../../src/inference/version-policy.ts";
import { eventually } from "../support/eventually.ts";
import { changeManifest } from "../support/model-repository.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { realClock, tinyModels } from "../support/tiny-models.ts";

const name = "linear";

function labelsInMemory(): ModelLabelStore {
  let standing: readonly ModelLabel[] = [];
  return {
    list: () => standing,
    history: () => [],
    move(label) {
      const before = standing.find((one) => one.name === label.name && one.label === label.label);
      standing = [...standing.filter((one) => one !== before), { ...label, previous: before?.version }];
    },
  };
}

/** A library over a repository of `versions`, with an engine that loads nothing and never fails. */
async function open(
  versions: readonly string[],
  options: {
    policy?: VersionPolicy;
    needs?: readonly ModelNeed[];
    settleMs?: number;
    accept?: () => void;
  } = {},
) {
  const repository = await temporaryFolder();
  const publish = async (version: string): Promise<string> => {
    const place = join(repository, name, version);
    await cp(join(tinyModels, name, "1"), place, { recursive: true });
    await changeManifest(place, (manifest) => {
      manifest["version"] = version;
    });
    return place;
  };
  for (const version of versions) await publish(version);
  const models = new LoadedModels();
  let places = 0;
  const show = (stored: StoredModel): void =>
    models.show({ model: stored.manifest.model, place: places++, split: false, inFlight: 0 });
  const engine = {
    models,
    add: async (stored: StoredModel) => show(stored),
    remove: async (loaded: Parameters<ModelEngine["remove"]>[0]) => models.forget(loaded),
  } as unknown as ModelEngine;
  const events: string[] = [];
  const warnings: string[] = [];
  const made = new ServedLibrary({
    repository,
    policyOf: () => options.policy ?? "latest",
    needs: () => options.needs ?? [],
    labels: labelsInMemory(),
    repositoryPollMs: 30,
    settleMs: options.settleMs ?? 300,
    clock: realClock,
    hooks: {
      accept: options.accept ?? (() => undefined),
      warm: async () => undefined,
      inUse: () => false,
      gone: () => undefined,
    },
    onWarning: (warning) => warnings.push(warning),
    onEvent: ({ version, what }) => events.push(`${version} ${what}`),
  });
  const choice = { checkNames: () => undefined } as unknown as EngineStart["choice"];
  await made.start({ models, choice, load: async (stored) => show(stored) });
  made.use(engine);
  onTestFinished(() => made.close());
  const serving = (): readonly string[] => models.all().map(({ version }) => version);
  const states = (): Record<string, string> =>
    Object.fromEntries(made.versions().map(({ version, state }) => [version, state]));
  return { library: made, repository, publish, serving, states, events, warnings };
}

describe("at the start", () => {
  test.each<[VersionPolicy, string[]]>([
    ["latest", ["10"]],
    ["latest 2", ["9", "10"]],
    ["all", ["1", "9", "10"]],
    [
      ["1", "9"],
      ["1", "9"],
    ],
  ])("the policy %j serves %j", async (policy, expected) => {
    expect((await open(["1", "9", "10"], { policy })).serving()).toEqual(expected);
  });

  test("what something names is served beside what the policy wants", async () => {
    const { serving } = await open(["1", "2", "3"], {
      needs: [{ ref: { name, version: "1" }, by: "arm control of experiment e" }],
    });
    expect(serving()).toEqual(["1", "3"]);
  });
});

describe("while it serves", () => {
  test.runIf(process.platform === "linux")("a version that is not accepted leaves no file open", async () => {
    const { library, publish, states, repository } = await open(["1"], {
      accept: () => {
        throw new Error("of another surface");
      },
    });
    library.follow();
    await publish("2");
    await eventually(() => expect(states()).toEqual({ 1: "serving", 2: "refused" }));
    await eventually(async () => {
      const names = await readdir("/proc/self/fd");
      const files = await Promise.all(names.map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => "")));
      expect(files.filter((file) => file.startsWith(join(repository, name, "2")))).toEqual([]);
    });
  });

  test("a folder that is half there is not loaded, and not called broken while it changes", async () => {
    const { library, repository, publish, serving, states, events } = await open(["1"], {
      // Many times the pauses between its pieces below.
      settleMs: 1_500,
    });
    const whole = await publish("2").then(async (place) => {
      const files = new Map<string, Buffer>();
      for (const file of ["manifest.json", "model.onnx", "golden.json"])
        files.set(file, await readFile(join(place, file)));
      return files;
    });
    await rm(join(repository, name, "2"), { recursive: true });
    library.follow();
    events.length = 0;
    const place = join(repository, name, "2");
    await mkdir(place);
    const model = whole.get("model.onnx") as Buffer;
    await writeFile(join(place, "manifest.json"), whole.get("manifest.json") as Buffer);
    for (let bytes = 100; bytes <= 300; bytes += 100) {
      await writeFile(join(place, "model.onnx"), model.subarray(0, bytes));
      await new Promise((resolve) => setTimeout(resolve, 100));
      expect(states()["2"]).toBe("available");
    }
    await writeFile(join(place, "model.onnx"), model);
    await writeFile(join(place, "golden.json"), whole.get("golden.json") as Buffer);
    await eventually(() => expect(serving()).toEqual(["2"]));
    expect(events).not.toContain("2 refused");
  });

  test("one that stands still half-copied is refused, and served once it is mended", async () => {
    const { library, repository, publish, serving, states } = await open(["1"], { settleMs: 50 });
    library.follow();
    const model = await readFile(join(tinyModels, name, "1", "model.onnx"));
    const place = join(repository, name, "2");
    await mkdir(place);
    await cp(join(tinyModels, name, "1", "golden.json"), join(place, "golden.json"));
    await writeFile(join(place, "model.onnx"), model.subarray(0, 100));
    await eventually(() => expect(states()["2"]).toBe("refused"));
    expect(library.versions().find(({ version }) => version === "2")?.reason).toMatch(
      /manifest\.json: expected the model's manifest, found nothing there$/,
    );
    expect(serving()).toEqual(["1"]);
    await publish("2");
    await eventually(() => expect(serving()).toEqual(["2"]));
  });

  test("a version that is taken away makes way for the highest that is left", async () => {
    const { library, repository, serving } = await open(["1", "2"]);
    library.follow();
    await rm(join(repository, name, "2"), { recursive: true });
    await eventually(() => expect(serving()).toEqual(["1"]));
    // Nothing is left to take its place: it serves on.
    await rm(join(repository, name, "1"), { recursive: true });
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(serving()).toEqual(["1"]);
  });

  test("a change to what serves is told, and not followed", async () => {
    const { library, repository, warnings } = await open(["1"]);
    library.follow();
    await writeFile(join(repository, name, "1", "notes.txt"), "hm");
    await eventually(() => expect(warnings.join()).toContain("changed after it was loaded"));
  });

  test("a version that was unloaded by command does not come back by itself", async () => {
    const { library, serving } = await open(["1", "2"]);
    library.follow();
    await library.unload({ name, version: "2" });
    expect(serving()).toEqual(["1"]);
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(serving()).toEqual(["1"]);
    await library.load({ name, version: "2" });
    expect(serving()).toEqual(["2"]);
  });

  test("the last version that serves somebody cannot be unloaded", async () => {
    const needs = [{ ref: { name }, by: "surface home" }];
    const { library } = await open(["1"], { needs });
    await expect(library.unload({ name, version: "1" })).rejects.toThrow(
      "version: linear/1 is the only version of linear that is loaded, and surface home needs one: load another first",
    );
  });

  test("a label moves onto loaded versions only, and keeps where it came from loaded", async () => {
    const { library, serving } = await open(["1", "2"], { policy: "latest 2" });
    await library.moveLabel({ name, label: "stable", version: "1" }, "ada");
    await library.moveLabel({ name, label: "stable", version: "2" }, "ada");
    expect(library.labels()).toEqual([{ name, label: "stable", version: "2", previous: "1" }]);
    await expect(library.unload({ name, version: "2" })).rejects.toThrow(
      "version: label stable needs linear/2: move it first",
    );
    await library.unload({ name, version: "1" });
    expect(serving()).toEqual(["2"]);
    await expect(library.moveLabel({ name, label: "stable", version: "1" }, "ada")).rejects.toThrow(
      "version: linear/1 is not loaded (loaded: 2), and a label stands on loaded versions only: load it first",
    );
    await library.load({ name, version: "1" });
    await library.moveLabel({ name, label: "stable", version: "1" }, "ada");
    expect(library.labels()).toEqual([{ name, label: "stable", version: "1", previous: "2" }]);
    await expect(library.moveLabel({ name, label: "no label", version: "2" }, "ada")).rejects.toThrow(
      "label: expected 1 to 64 of",
    );
  });
});

import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { loadConfig, loadExperimentDocuments } from "../../src/config.ts";
import { SetlistError } from "../../src/domain/error.ts";
import { reviseAll } from "../../src/experiments/experiments.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const sound = `id: exp
surface: home
layer: ranker
status: running
arms:
  - id: control
    control: true
    model: { name: home-control }
  - id: treated
    model: { name: home-kd }
`;

async function folderWith(files: Record<string, string>): Promise<string> {
  const folder = await temporaryFolder();
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
  return folder;
}

test("every YAML file of the folder is an experiment, in the order of the files' names", async () => {
  const folder = await folderWith({
    "b.yaml": sound,
    "a.yml": sound.replace("id: exp", "id: other").replace("layer: ranker", "layer: other"),
    "notes.md": "no experiment",
    ".hidden.yaml": "no experiment",
  });
  await mkdir(join(folder, "sub"));
  expect(loadExperimentDocuments(folder).map(({ id, status }) => [id, status])).toEqual([
    ["other", "running"],
    ["exp", "running"],
  ]);
});

test("a folder that does not exist is no empty one", () => {
  expect(() => loadExperimentDocuments("/nowhere/at/all")).toThrow(
    /^experiments: \/nowhere\/at\/all cannot be read: there is no such folder$/,
  );
});

test("a file that cannot be read is named once, with the reason in words", async () => {
  const folder = await folderWith({});
  const read = (file: string) => () => loadConfig({ flags: { config: file }, env: {}, cwd: folder });
  const missing = join(folder, "none.yaml");
  expect(read(missing)).toThrow(
    new SetlistError("NOT_FOUND", `${missing}: cannot be read: there is no such file`),
  );
  expect(read(folder)).toThrow(`${folder}: cannot be read: it is a folder, expected a file`);
});

describe("refused with file, line, field and reason:", () => {
  const known = {
    surfaces: ["home"],
    models: [
      { name: "home-control", version: "1", surface: "home" },
      { name: "home-kd", version: "1", surface: "home" },
    ],
  };
  test.each([
    ["broken YAML", `${sound}  - [`, /exp\.yaml:11: not valid YAML/],
    ["a key twice", `${sound}id: again\n`, /exp\.yaml:11: not valid YAML: Map keys must be unique/],
    [
      "an unknown field",
      `${sound}trafic: 1\n`,
      /exp\.yaml:11: trafic: unknown field \(did you mean "traffic"\?\)/,
    ],
    [
      "a bad weight",
      sound.replace("  - id: treated", "  - weight: -1\n    id: treated"),
      /exp\.yaml:9: arms\[1\]\.weight: must be >= 0, got -1/,
    ],
    [
      "a version as a number",
      sound.replace("home-kd }", "home-kd, version: 1 }"),
      /exp\.yaml:10: arms\[1\]\.model\.version: expected string, got number/,
    ],
    [
      "an id of other characters",
      sound.replace("id: treated", "id: the treated"),
      /arms\[1\]\.id: expected 1 to 64 of A-Z a-z 0-9 \. _ -, beginning with a letter or digit, got "the treated"/,
    ],
    [
      "a needed field under a wrong name",
      sound.replace("surface:", "surfac:"),
      /exp\.yaml:2: surfac: unknown field \(did you mean "surface"\?\)/,
    ],
    ["a missing layer", sound.replace("layer: ranker\n", ""), /exp\.yaml: layer: expected, but missing/],
    [
      "an unknown surface",
      sound.replace("surface: home", "surface: hoem"),
      /exp\.yaml:2: surface: no surface "hoem"/,
    ],
    [
      "an unknown model",
      sound.replace("home-kd", "home-dk"),
      /exp\.yaml:10: arms\[1\]\.model\.name: no model "home-dk" \(did you mean "home-kd"\?\)/,
    ],
    [
      "no control",
      sound.replace("    control: true\n", ""),
      /exp\.yaml:6: arms: expected exactly one with control/,
    ],
    [
      "bad targeting",
      `${sound}targeting: user.country ==\n`,
      /exp\.yaml:11: targeting: not a CEL expression/,
    ],
    ["an empty file", "", /exp\.yaml: id: expected, but missing/],
    ["a list", "- id: exp\n", /exp\.yaml: document: expected an experiment's fields/],
  ])("%s", async (_what, text, complaint) => {
    const folder = await folderWith({ "exp.yaml": text });
    expect(() => loadExperimentDocuments(folder, known)).toThrow(complaint);
  });

  test("an id that another file has", async () => {
    const folder = await folderWith({ "a.yaml": sound, "b.yaml": sound });
    expect(() => loadExperimentDocuments(folder)).toThrow(/b\.yaml:1: id: .*a\.yaml has the same, "exp"/);
  });
});

test("the shipped experiments are the contract's: control first, one treated, half and half, running", () => {
  const { experiments, surfaces } = loadConfig({ flags: {}, env: {}, cwd: "/" });
  const documents = loadExperimentDocuments(experiments, { surfaces: [...surfaces.keys()] });
  const shown = reviseAll([], documents).experiments.map((one) => [
    one.id,
    one.surface,
    one.layer,
    one.status,
    one.ranges,
    one.targeting,
    one.arms.map(({ id, control, weight, model }) => [id, control, weight, model.name]),
    one.metrics.filter(({ role }) => role === "primary").map(({ id }) => id),
  ]);
  const whole = [{ from: 0, to: 1 }];
  const homeArms = [
    ["control", true, 1, "home-control"],
    ["kd-direct", false, 1, "home-kd"],
  ];
  const radioArms = [
    ["control", true, 1, "radio-control"],
    ["kd-aux", false, 1, "radio-kd"],
  ];
  expect(shown).toEqual([
    ["home-kd", "home", "home-ranker", "running", whole, undefined, homeArms, ["completions"]],
    ["radio-kd", "radio", "radio-ranker", "running", whole, undefined, radioArms, ["completions"]],
  ]);
});

import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { readExperiments } from "../../src/app/data/experiment-store.ts";
import { run as runCommand } from "../../src/cli/cli.ts";
import { whoRuns } from "../../src/cli/who-runs.ts";
import { type RunningApp, startApp } from "../support/running-app.ts";
import { suiteFolder } from "../support/temporary-folder.ts";

/** The command line in this process: forty starts of it would take a minute. */
async function setlist(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const said = { stdout: "", stderr: "" };
  const spies = (["stdout", "stderr"] as const).map((name) =>
    vi.spyOn(process[name], "write").mockImplementation((text) => {
      said[name] += String(text);
      return true;
    }),
  );
  try {
    const code = await runCommand(args);
    return { code, ...said };
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
}

/** One server, one data directory: each place is led through the same life, from a draft to what is shipped. */
let folder: { path: string; remove: () => Promise<void> };
let app: RunningApp;
beforeAll(async () => {
  folder = await suiteFolder();
  await mkdir(join(folder.path, "beside"));
  app = await startApp(join(folder.path, "data"));
});
afterAll(async () => {
  await app.stop();
  await folder.remove();
});

const document = `id: home-new
surface: home
layer: home-second
traffic: 0.1
arms:
  - { id: control, control: true, model: { name: home-control } }
  - { id: treated, model: { name: home-kd } }
`;

describe.each([
  ["a running server", () => ["--url", app.http]],
  ["a data directory", () => ["--data-dir", join(folder.path, "beside")]],
])("experiments of %s", (place, where) => {
  const run = (...args: string[]) => setlist("experiments", ...args, ...where());
  const jsonOf = async (...args: string[]) => JSON.parse((await run(...args, "--json")).stdout);
  const file = () => join(folder.path, `${place.replaceAll(" ", "-")}.yaml`);
  const exported = () => join(folder.path, `${place.replaceAll(" ", "-")}-exported`);

  test("show what they would write, and write nothing as a dry run", async () => {
    await writeFile(file(), document);
    const { code, stdout } = await run("create", file(), "--dry-run");
    expect(code).toBe(0);
    expect(stdout).toMatch(/^home-new \(new\)\n\+id: home-new\n/);
    expect(stdout).toMatch(/nothing written \(--dry-run\)\n$/);
    expect((await run("show", "home-new")).code).toBe(1);
  });

  test("go from a draft to running, are ramped, killed and revived", async () => {
    const steps = [
      await run("create", file()),
      await run("start", "home-new"),
      await run("update", "home-new", "--traffic", "0.5"),
      await run("kill", "home-new", "--reason", "latency"),
      await run("revive", "home-new"),
      await run("pause", "home-new"),
    ];
    expect(steps.map(({ code, stderr }) => [code, stderr])).toEqual(steps.map(() => [0, ""]));
    expect(steps.map(({ stdout }) => stdout.trimEnd().split("\n").at(-1))).toEqual([
      "home-new stands at revision 1: created, draft",
      "home-new stands at revision 2: status draft to running",
      "home-new stands at revision 3: traffic 0.1 to 0.5",
      "home-new stands at revision 4: killed: latency",
      "home-new stands at revision 5: no longer killed",
      "home-new stands at revision 6: status running to paused",
    ]);
    expect(steps[2]?.stdout).toContain("-traffic: 0.1\n+traffic: 0.5\n");
    const { revisions } = await jsonOf("history", "home-new");
    expect(new Set(revisions.map(({ who }: { who: string }) => who))).toEqual(new Set([whoRuns()]));
    expect(revisions).toHaveLength(6);
    expect(revisions[2]).toMatchObject({
      what: "traffic 0.1 to 0.5",
      hash: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
  });

  test("refuse what would spoil them with what would happen, and do it where that is confirmed", async () => {
    await writeFile(file(), `${document}salt: other\n`);
    const refused = await run("update", file());
    expect(refused.code).toBe(1);
    expect(refused.stdout).toContain("+salt: other");
    expect(refused.stderr).toContain("would start phase 2");
    expect(refused.stderr).toContain("--confirm-new-phase");
    const down = await run("update", file(), "--confirm-new-phase");
    expect(down.stderr).toContain("traffic: home-new would go down from 0.5 to 0.1");
    const done = await run("update", file(), "--confirm-new-phase", "--confirm-less-traffic");
    expect(done.stdout).toContain("home-new stands at revision 7: salt, traffic 0.5 to 0.1; phase 2");
  });

  test("are not exported to where no folder can be made, nor imported from one without any", async () => {
    const nowhere = await run("export", "/nowhere/at/all");
    expect(nowhere.code).toBe(1);
    expect(nowhere.stderr).toMatch(/^setlist: cannot write to \/nowhere\/at\/all: .*name a folder.*\n$/);
    const none = await run("import", join(folder.path, "beside"));
    expect(none.code).toBe(1);
    expect(none.stderr).toContain("expected one YAML file an experiment");
  });

  test("start with a warning where another layer's experiment serves the surface before them", async () => {
    expect((await run("start", "home-new", "--dry-run")).stdout).toContain(
      "! home-new: home-kd runs on surface home too, in layer home-ranker",
    );
  });

  test("are exported, changed and imported again, all or none", async () => {
    const files = await run("export", exported());
    expect(files.stdout.trimEnd().split("\n")).toEqual(
      ["home-kd", "home-new", "radio-kd"].map((id) => join(exported(), `${id}.yaml`)),
    );
    expect((await run("diff", exported())).stdout).toContain("home-new stands as it should, at revision 7");
    const one = join(exported(), "home-new.yaml");
    await writeFile(one, (await readFile(one, "utf8")).replace("traffic: 0.1", "traffic: 0.2"));
    await writeFile(join(exported(), "other.yaml"), document.replace("home-new", "home-other"));
    expect((await run("diff", exported())).stdout).toContain("+traffic: 0.2");
    expect((await run("import", exported(), "--dry-run")).stdout).toContain("home-other (new)");
    const two = join(exported(), "wrong.yaml");
    await writeFile(two, document.replace("home-new", "home-wrong").replace("home-kd", "home-dk"));
    const refused = await run("import", exported());
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain('experiment home-wrong: arms[1].model.name: no model "home-dk"');
    expect(await jsonOf("show", "home-new")).toMatchObject({ revision: 7 });
    await writeFile(two, await readFile(one));
    expect((await run("import", exported())).stderr).toContain("experiment home-new: id: it is there twice");
    await writeFile(two, document.replace("home-new", "home-right"));
    expect((await run("import", exported())).stdout).toContain("3 of 5 experiments written");
    expect(await readdir(exported())).toHaveLength(5);
  });

  test("are shipped, which the surfaces then show, until the default is restored", async () => {
    expect((await run("stop", "home-new", "--winner", "treated")).code).toBe(0);
    const shipped = await run("ship", "home-new");
    expect(shipped.stdout).toContain("+surfaces.home.default:");
    expect((await run("surfaces")).stdout).toContain("arm treated of home-new");
    expect((await run("list")).stdout).toContain("stopped for treated");
    const restored = await run("restore", "home");
    expect(restored.stdout).toContain("surface home: the configuration's default restored");
    expect((await jsonOf("surfaces")).surfaces[0]).toMatchObject({
      surface: "home",
      origin: "configuration",
      revision: 2,
    });
  });

  test("are all off while the kill switch is on", async () => {
    expect((await run("kill-switch", "on")).code).toBe(2);
    expect((await run("kill-switch", "on", "--reason", "latency")).stdout).toContain(
      "kill switch: on: latency",
    );
    expect((await run("list")).stdout).toContain("The kill switch is on, and nobody is assigned: latency");
    expect((await run("kill-switch", "off")).stdout).toContain("kill switch: off");
  });

  test("that there are not are named with the nearest, and the exit code is 1", async () => {
    const { code, stderr } = await run("start", "home-nwe");
    expect(code).toBe(1);
    expect(stderr).toContain('no experiment "home-nwe"');
  });
});

test("a data directory that is not there is no place to write", async () => {
  const { code, stderr } = await setlist("experiments", "start", "home-kd", "--data-dir", "/nowhere/at/all");
  expect(code).toBe(1);
  expect(stderr).toContain("no data directory at /nowhere/at/all");
});

test("an empty data directory is filled by the first write, and by no dry run", async () => {
  const dataDir = join(folder.path, "untouched");
  await mkdir(dataDir);
  const file = join(folder.path, "first.yaml");
  await writeFile(file, document);
  const idsIn = async (): Promise<readonly string[]> => {
    const { experiments } = await readExperiments({ dataDir, experimentStore: {} });
    return experiments.map(({ id }) => id);
  };
  const create = (...flags: string[]) =>
    setlist("experiments", "create", file, "--data-dir", dataDir, ...flags);
  expect(await create("--dry-run")).toMatchObject({ code: 0, stderr: "" });
  expect(await idsIn()).toEqual([]);
  expect(await create("--yes")).toMatchObject({ code: 0, stderr: "" });
  expect(await idsIn()).toEqual(["home-kd", "home-new", "radio-kd"]);
});

describe("assign --url", () => {
  const ask = (...args: string[]) => setlist("assign", "--url", app.http, "--unit", "u42", ...args);

  test("says what the server does, of every kind of unit", async () => {
    const session = { id: "s1" };
    const attributes = { user: { country: "DE" }, context: {} };
    const asked = await fetch(new URL("/v1/assignments", app.http), {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ unit: "u42", session, requestId: "r1", attributes }),
    });
    const flags = ["--session", "s1", "--request-id", "r1", "--attributes", '{"country": "DE"}', "--json"];
    const { code, stdout } = await ask(...flags);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual(await asked.json());
    expect((await ask()).stdout).toMatch(/^Unit u42\n/);
  });

  test("passes on why the server refuses", async () => {
    const { code, stderr } = await ask("--attributes", '{"country": 3}');
    expect(code).toBe(1);
    expect(stderr).toContain("attributes.user.country: expected");
  });
});

test("an id without --traffic is no document to update", async () => {
  const { code, stderr } = await setlist("experiments", "update", "home-kd", "--url", app.http);
  expect(code).toBe(2);
  expect(stderr).toContain("home-kd: no such file; an experiment's id is expected with --traffic");
});

test("what a data directory without a store would have is told as that", async () => {
  const at = ["--data-dir", join(folder.path, "nowhere")];
  const sentence =
    /\nNo server has run in .*nowhere yet: one that starts there would have these, of .*experiments\.\n$/;
  expect((await setlist("experiments", "list", ...at)).stdout).toMatch(sentence);
  expect((await setlist("assign", "--unit", "u42", ...at)).stdout).toMatch(sentence);
  expect((await setlist("experiments", "list", "--url", app.http)).stdout).not.toContain("No server has run");
});

test("the list says of which kind an experiment is", async () => {
  const path = join(folder.path, "mixed.yaml");
  const at = ["--data-dir", join(folder.path, "beside")];
  await writeFile(
    path,
    document.replace("home-new", "home-mixed").replace("surface:", "kind: interleave\nsurface:"),
  );
  expect((await setlist("experiments", "create", path, ...at)).stderr).toBe("");
  const { stdout } = await setlist("experiments", "list", ...at);
  expect(stdout).toMatch(/home-mixed +│ interleave +│ draft/);
  expect(stdout).toMatch(/home-kd +│ ab +│ running/);
});

test("the health of an experiment is a running server's to tell: guardrails, and where its ramp stands", async () => {
  const file = join(folder.path, "guarded.yaml");
  await writeFile(
    file,
    document
      .replace("id: home-new", "id: guarded")
      .replace("layer: home-second", "layer: home-guarded")
      .replace("traffic: 0.1", "ramp: [{ traffic: 0.1, for: 1h }, { traffic: 1 }]")
      .concat("guardrails: [{ kind: latency-p99, maxMs: 80, action: rollback }]\n"),
  );
  for (const args of [
    ["create", file],
    ["start", "guarded"],
  ]) {
    expect((await setlist("experiments", ...args, "--url", app.http)).code).toBe(0);
  }
  const { code, stdout } = await setlist("experiments", "health", "guarded", "--url", app.http);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^guarded · phase 1 · running · undecided · /);
  expect(stdout).toContain("│ latency-p99 │ rollback │");
  expect(stdout).toMatch(/Ramp: step 1 of 2, 10 % of the layer, .* of 60 min until 100 %/);
  const json = await setlist("experiments", "health", "guarded", "--url", app.http, "--json");
  expect(JSON.parse(json.stdout)).toMatchObject({
    experiment: "guarded",
    ramp: { step: 1, totalMs: 3_600_000 },
  });

  const alone = await setlist("experiments", "health", "guarded", "--data-dir", app.dataDir);
  expect(alone).toMatchObject({ code: 2, stderr: expect.stringContaining("unknown option '--data-dir'") });
  const help = await setlist("experiments", "health", "--help");
  expect(help.stdout).toContain('(default: "http://127.0.0.1:8080")');
});

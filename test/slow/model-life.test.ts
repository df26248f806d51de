import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { loadConfig } from "../../src/config.ts";
import { type Isolation, isolations } from "../../src/domain/isolation.ts";
import type { ModelVersionStatus } from "../../src/domain/model-life.ts";
import { eventually } from "../support/eventually.ts";
import {
  breakGolden,
  breakGraph,
  type ScratchRepository,
  scratchRepository,
  writeVersion,
} from "../support/model-repository.ts";
import { patient, type RunningApp, startApp } from "../support/running-app.ts";
import { setlist } from "../support/setlist-command.ts";
import { suiteFolder } from "../support/temporary-folder.ts";

/** One server of each kind through all of it: a start costs more than everything else. */
let folder: { path: string; remove: () => Promise<void> };
let repository: ScratchRepository;
let app: RunningApp;

const experiment = `
id: home-kd
surface: home
layer: home-ranker
status: running
traffic: 0.5
arms:
  - { id: control, control: true, model: { name: home-control, version: "1" } }
  - { id: kd, model: { name: home-kd, label: stable } }
`;

async function start(isolation: Isolation): Promise<RunningApp> {
  const loaded = loadConfig({ flags: {}, env: {}, cwd: process.cwd() });
  const home = loaded.surfaces.get("home");
  if (home === undefined) throw new Error("expected a surface home in the configuration");
  const experiments = join(folder.path, "experiments");
  await mkdir(experiments, { recursive: true });
  await writeFile(join(experiments, "home-kd.yaml"), experiment);
  return startApp(join(folder.path, "data"), {
    models: repository.path,
    experiments,
    surfaces: new Map([["home", { ...home, timeoutMs: 10_000 }]]),
    inference: { ...patient(loaded).inference, isolation },
  });
}

interface Answer {
  readonly model: { name: string; version: string };
  readonly degraded: readonly string[];
}

async function rank(user: string): Promise<Answer & { status: number }> {
  const { status, body } = await app.post("/v1/rank", {
    surface: "home",
    user: { id: user },
    candidateIds: Array.from({ length: 50 }, (_, index) => `t${index + 1}`),
    limit: 5,
  });
  return { status, ...(body as Answer) };
}

async function versions(): Promise<{ versions: ModelVersionStatus[] }> {
  return (await app.get("/v1/models")).body as { versions: ModelVersionStatus[] };
}

async function statuses(): Promise<Record<string, string>> {
  return Object.fromEntries(
    (await versions()).versions.map(({ name, version, state, labels }) => [
      `${name}/${version}`,
      [state, ...labels].join(" "),
    ]),
  );
}

const becomes = (key: string, state: string | undefined): Promise<void> =>
  eventually(async () => expect((await statuses())[key]).toBe(state));

const put = async (path: string, body: unknown) => {
  const response = await fetch(app.http + path, {
    method: "PUT",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
};

/** Users in and out of the experiment's arm, until `until` has resolved. */
async function load(until: Promise<unknown>): Promise<readonly Answer[]> {
  let over = false;
  const stop = until.finally(() => {
    over = true;
  });
  const answers: Answer[] = [];
  const client = async (number: number): Promise<void> => {
    for (let round = 0; !over; round++) {
      const { status, ...answer } = await rank(`u${number * 1_000 + round}`);
      expect(status).toBe(200);
      answers.push(answer);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  };
  await Promise.all([stop, ...[1, 2, 3, 4].map(client)]);
  return answers;
}

const versionsOf = (answers: readonly Answer[], name: string): readonly string[] => [
  ...new Set(answers.filter(({ model }) => model.name === name).map(({ model }) => model.version)),
];

describe.each(isolations)("the life of a model in a %s", { timeout: 120_000 }, (isolation) => {
  beforeAll(async () => {
    folder = await suiteFolder();
    repository = await scratchRepository(folder.path);
    await repository.publish("home-control", "1");
    await repository.publish("home-kd", "1");
    app = await start(isolation);
  });
  afterAll(async () => {
    await app.stop();
    await folder.remove();
  });

  test("a label that was never set stands on the highest version at the first start", async () => {
    expect(await statuses()).toEqual({ "home-control/1": "serving", "home-kd/1": "serving stable" });
  });

  test("a new version comes to serve under load, and no request fails or waits for it", async () => {
    const answers = await load(
      (async () => {
        await repository.publish("home-control", "2");
        await becomes("home-control/2", "serving");
        await new Promise((resolve) => setTimeout(resolve, 200));
      })(),
    );
    expect(answers.flatMap(({ degraded }) => degraded)).toEqual([]);
    expect(versionsOf(answers, "home-control")).toEqual(["1", "2"]);
    // The control arm names version 1, the surface the highest: both serve.
    expect(await statuses()).toEqual({
      "home-control/1": "serving",
      "home-control/2": "serving",
      "home-kd/1": "serving stable",
    });
  });

  test("what nothing names any more leaves memory once its requests are answered", async () => {
    const answers = await load(
      (async () => {
        await repository.publish("home-control", "3");
        await becomes("home-control/3", "serving");
        await becomes("home-control/2", "available");
      })(),
    );
    expect(answers.flatMap(({ degraded }) => degraded)).toEqual([]);
    const { body } = await app.get("/metrics");
    expect(body).toContain(
      'setlist_model_version_state{model="home-control",version="2",state="available"} 1',
    );
    expect(body).toContain('setlist_model_changes_total{model="home-control",what="gone"} 1');
  });

  test.each([
    [
      "whose golden example it does not compute",
      "4",
      breakGolden,
      /golden\.json: expected .* to be .* within/,
    ],
    ["that is no graph", "5", breakGraph, /model\.onnx: expected a model for ONNX Runtime to load, found: /],
  ])("a version %s is refused, and the old one serves on", async (_what, version, breakIt, reason) => {
    await repository.publish("home-control", version, breakIt);
    await becomes(`home-control/${version}`, "refused");
    expect(await statuses()).toMatchObject({ "home-control/3": "serving" });
    const ready = await app.get("/readyz");
    expect(ready.status).toBe(200);
    expect(ready.body).toMatchObject({ status: "ready", detail: expect.stringMatching(reason) });
    const { body } = await app.get("/metrics");
    expect(body).toContain(`{model="home-control",version="${version}",state="refused"} 1`);
    expect(await rank("u1")).toMatchObject({ status: 200, degraded: [] });
  });

  test("a folder that is still being copied is neither loaded nor broken, and serves once it is whole", async () => {
    const staged = join(folder.path, "slow-copy");
    await writeVersion("home-control", "6", staged);
    const place = join(repository.path, "home-control", "6");
    await mkdir(place);
    for (const file of ["manifest.json", "golden.json", "model.onnx", "item.onnx"]) {
      await writeFile(join(place, file), await readFile(join(staged, file)));
      await new Promise((resolve) => setTimeout(resolve, 400));
      expect((await statuses())["home-control/6"]).not.toBe("refused");
      expect((await statuses())["home-control/6"]).not.toBe("serving");
    }
    const request = await readFile(join(staged, "request.onnx"));
    await writeFile(join(place, "request.onnx"), request.subarray(0, 1_000));
    await new Promise((resolve) => setTimeout(resolve, 400));
    await writeFile(join(place, "request.onnx"), request);
    await becomes("home-control/6", "serving");
  });

  test("a label moves onto a loaded version, and back", async () => {
    const inArm = async (): Promise<string> => {
      for (let user = 1; ; user++) {
        const { model } = await rank(`u${user}`);
        if (model.name === "home-kd") return model.version;
      }
    };
    const path = "/v1/models/home-kd/labels/stable";
    expect(await put(path, { version: "2" })).toMatchObject({ status: 404, body: { code: "NOT_FOUND" } });
    await repository.publish("home-kd", "2");
    await becomes("home-kd/2", "serving");
    expect(await inArm()).toBe("1");
    expect(await put(path, { version: "2", who: "ada" })).toEqual({
      status: 200,
      body: { name: "home-kd", label: "stable", version: "2", previous: "1" },
    });
    expect(await inArm()).toBe("2");
    // The version that it came from stays, for the way back.
    expect(await statuses()).toMatchObject({ "home-kd/1": "serving", "home-kd/2": "serving stable" });
    expect(await put(path, { version: "1", who: "bob" })).toMatchObject({ status: 200 });
    expect(await inArm()).toBe("1");
    const { body } = await app.get("/v1/models/home-kd/labels");
    const { history } = body as { history: { who: string; version: string }[] };
    expect(history.map(({ who, version }) => [who, version])).toEqual([
      ["first start", "1"],
      ["ada", "2"],
      ["bob", "1"],
    ]);
  });

  test("unloading what something needs is refused with who needs it", async () => {
    const unload = (name: string, version: string) =>
      app.post(`/v1/models/${name}/versions/${version}/unload`, {});
    expect(await unload("home-control", "1")).toMatchObject({
      status: 409,
      body: {
        code: "ABORTED",
        detail:
          "version: arm control of experiment home-kd needs home-control/1: let it name another version first",
      },
    });
    expect(await unload("home-kd", "1")).toMatchObject({
      status: 409,
      body: { detail: "version: label stable needs home-kd/1: move it first" },
    });
    expect(await unload("home-kd", "9")).toMatchObject({ status: 404 });
  });

  test("a version that the policy leaves out is loaded and unloaded by command", async () => {
    const path = "/v1/models/home-control/versions/2";
    expect(await app.post(`${path}/load`, {})).toMatchObject({ status: 200, body: { state: "serving" } });
    const unloaded = await app.post(`${path}/unload`, {});
    expect(unloaded).toMatchObject({ status: 200, body: { state: "retiring" } });
    await becomes("home-control/2", "available");
    expect(await app.post("/v1/models/home-control/versions/4/load", {})).toMatchObject({
      status: 400,
      body: { detail: expect.stringContaining("golden.json") },
    });
  });

  test("the command says and changes the same", async () => {
    const url = ["--url", app.http];
    const listed = await setlist("models", "list", ...url, "--json");
    expect(JSON.parse(listed.stdout)).toEqual({ versions: (await versions()).versions });
    expect((await setlist("models", "list", ...url)).stdout).toContain("home-kd");
    expect(await setlist("models", "load", "home-control", "2", ...url)).toMatchObject({
      code: 0,
      stdout: "home-control/2 is serving\n",
    });
    expect(await setlist("models", "label", "home-control", "candidate", "2", ...url)).toMatchObject({
      stdout: "candidate of home-control stands on version 2\n",
    });
    expect(await setlist("models", "unload", "home-control", "2", ...url)).toMatchObject({
      code: 1,
      stderr: "setlist: version: label candidate needs home-control/2: move it first\n",
    });
  });

  test("labels stand where they stood after a restart, and a broken highest version does not stop it", async () => {
    await put("/v1/models/home-kd/labels/stable", { version: "2" });
    await repository.publish("home-control", "7", breakGolden);
    await becomes("home-control/7", "refused");
    await app.stop();
    app = await start(isolation);
    expect(await statuses()).toMatchObject({
      "home-control/1": "serving",
      "home-control/6": "serving",
      "home-control/7": "refused",
      "home-kd/2": "serving stable",
    });
  });
});

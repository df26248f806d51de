import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { DataDirectoryPlace } from "../../src/app/data/data-directory-place.ts";
import { openExperiments } from "../../src/app/data/experiment-store.ts";
import { assignUnit, currentState } from "../../src/app/data/experiments-data.ts";
import { configurationWriter, configuredExperiments } from "../../src/app/experiment-source.ts";
import { loadConfig, type SetlistConfig } from "../../src/config.ts";
import type { Experiment } from "../../src/domain/experiment.ts";
import type { StoreChange, StoreState } from "../../src/domain/store-state.ts";
import { documentOf, replaced, switched } from "../../src/experiments/experiments.ts";
import { LastGoodCopy } from "../../src/registry/last-good-copy.ts";
import { openRegistry } from "../../src/registry/registry.ts";
import { noAttributes } from "../support/experiments.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const clock = { now: () => 0, monotonic: () => 0 };

const document = (traffic: number): string => `id: exp
surface: home
layer: ranker
traffic: ${traffic}
status: running
arms:
  - { id: control, control: true, model: { name: home-control } }
  - { id: treated, model: { name: home-kd } }
`;

/** A configuration whose experiments' folder holds one experiment. */
async function place(
  traffic: number,
): Promise<{ config: SetlistConfig; write: (traffic: number) => Promise<void> }> {
  const folder = await temporaryFolder();
  await mkdir(join(folder, "experiments"));
  await writeFile(join(folder, "setlist.yaml"), "experiments: experiments\ndataDir: data\n");
  const write = (share: number) => writeFile(join(folder, "experiments", "exp.yaml"), document(share));
  await write(traffic);
  return {
    config: loadConfig({ flags: { config: join(folder, "setlist.yaml") }, env: {}, cwd: folder }),
    write,
  };
}

/** As a server that starts over them: what it warned of. */
async function start(config: SetlistConfig): Promise<string[]> {
  const registry = openRegistry({ dataDir: config.dataDir, clock });
  const warnings: string[] = [];
  const source = configuredExperiments(config.experiments, (warning) => warnings.push(warning));
  source.expected(registry);
  await source.settle(registry, {});
  await registry.close();
  return warnings;
}

async function write(config: SetlistConfig, change: (state: StoreState) => StoreChange): Promise<void> {
  const registry = openRegistry({ dataDir: config.dataDir, clock });
  await registry.write("ada", change);
  await registry.close();
}

const ramped =
  (traffic: number) =>
  (state: StoreState): StoreChange =>
    replaced(state, documentOf({ ...(state.experiments[0] as Experiment), traffic }), {
      revision: state.experiments[0]?.revision ?? 0,
      confirmed: ["less-traffic"],
      known: {},
    });

const experimentsOf = async (config: SetlistConfig) => (await currentState(config)).experiments;

describe("the experiments of a command", () => {
  test("are the configuration's where no server ever ran", async () => {
    const { config } = await place(1);
    expect(await experimentsOf(config)).toMatchObject([
      { id: "exp", revision: 1, ranges: [{ from: 0, to: 1 }] },
    ]);
  });

  test("are the store's from then on, whatever the configuration's folder says", async () => {
    const { config, write: writeFolder } = await place(0.25);
    await start(config);
    await writeFolder(0.5);
    expect(await experimentsOf(config)).toMatchObject([{ revision: 1, traffic: 0.25 }]);
    await write(config, ramped(0.3));
    expect(await experimentsOf(config)).toMatchObject([{ revision: 2, traffic: 0.3 }]);
  });
});

describe("a start", () => {
  test("fills an empty store from the configuration's folder, once", async () => {
    const { config } = await place(0.25);
    expect(await start(config)).toEqual([]);
    expect(await start(config)).toEqual([]);
    const registry = openRegistry({ dataDir: config.dataDir, clock });
    expect(await registry.history("exp")).toMatchObject([
      { who: configurationWriter, what: "created, running", document: { traffic: 0.25 } },
    ]);
    await registry.close();
  });

  test("says what the folder says since, and how to import it; the store stays", async () => {
    const { config, write: writeFolder } = await place(0.25);
    await start(config);
    await writeFolder(0.5);
    expect(await start(config)).toEqual([
      expect.stringContaining(
        `says something new of exp, and only fills an empty store: \`setlist experiments import`,
      ),
    ]);
    expect(await experimentsOf(config)).toMatchObject([{ traffic: 0.25 }]);
  });

  test("has nothing to say where the store went on from what the folder says", async () => {
    const { config } = await place(0.25);
    await start(config);
    await write(config, ramped(0.5));
    expect(await start(config)).toEqual([]);
  });

  test("is not stopped by a folder that is of no use any more", async () => {
    const { config } = await place(0.25);
    await start(config);
    await writeFile(join(config.experiments, "exp.yaml"), "id: [");
    expect(await start(config)).toEqual([
      expect.stringContaining("not read, since the store has experiments"),
    ]);
  });
});

describe("a unit", () => {
  test("gets an arm, or hears why not", async () => {
    const { config, write: writeFolder } = await place(1);
    expect(await assignUnit(config, "u1", noAttributes)).toMatchObject({
      unit: "u1",
      assignments: [{ experiment: "exp", unit: "u1" }],
      decisions: [{ experiment: "exp", reason: "assigned" }],
    });
    await writeFolder(0);
    expect(await assignUnit(config, "u1", noAttributes)).toMatchObject({
      assignments: [],
      decisions: [{ experiment: "exp", reason: "traffic" }],
    });
  });

  test("gets nothing while the kill switch is on", async () => {
    const { config } = await place(1);
    await start(config);
    await write(config, (state) => switched(state, { on: true, reason: "latency", revision: 0 }));
    expect(await assignUnit(config, "u1", noAttributes)).toMatchObject({
      assignments: [],
      decisions: [{ experiment: "exp", reason: "killed", detail: "it was killed: kill switch: latency" }],
    });
  });

  test.each(["", "ü".repeat(129)])("whose id is empty or over-long is refused", async (unit) => {
    const { config } = await place(1);
    await expect(assignUnit(config, unit, noAttributes)).rejects.toThrow(
      "--unit: expected an id of 1 to 256 bytes",
    );
  });
});

describe("a fleet's data directory without the fleet's address", () => {
  const refusal =
    /^experimentStore\.url \(SETLIST_EXPERIMENT_STORE_URL\): expected, .* in db\.internal\/setlist; /;

  async function fleets(): Promise<SetlistConfig> {
    const { config } = await place(1);
    await start(config);
    const copy = new LastGoodCopy(config.dataDir, "db.internal/setlist", () => undefined);
    copy.keep({ experiments: [], surfaces: [], killSwitch: { on: false, reason: "", revision: 0 } });
    await copy.written();
    return config;
  }

  test("shows no experiments: those of its own store are served by nobody", async () => {
    const config = await fleets();
    await expect(currentState(config)).rejects.toThrow(refusal);
    await expect(assignUnit(config, "u1", { user: {}, context: {} })).rejects.toThrow(refusal);
    await expect(new DataDirectoryPlace(config).history("exp")).rejects.toThrow(refusal);
  });

  test("kills none, and starts no server", async () => {
    const config = await fleets();
    const kill = new DataDirectoryPlace(config).kill("exp", undefined, "latency", {
      who: "ada",
    });
    await expect(kill).rejects.toThrow(refusal);
    await using opened = new AsyncDisposableStack();
    await expect(openExperiments(config, opened, () => undefined)).rejects.toThrow(refusal);
  });
});

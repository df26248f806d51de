import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import {
  assignUnit,
  configurationWriter,
  currentExperiment,
  currentExperiments,
  experimentHistory,
} from "../../src/app/experiments-data.ts";
import { loadConfig, loadExperimentDocuments, type SetlistConfig } from "../../src/config.ts";
import { openRegistry } from "../../src/registry/registry.ts";
import { documentWith, noAttributes } from "../support/experiments.ts";
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

function sync(config: SetlistConfig): void {
  const registry = openRegistry({ dataDir: config.dataDir, clock });
  registry.sync(loadExperimentDocuments(config.experiments), configurationWriter);
  registry.close();
}

describe("the experiments of a command", () => {
  test("are the configuration's where no server ever ran", async () => {
    const { config } = await place(1);
    expect(currentExperiments(config)).toMatchObject([
      { id: "exp", revision: 1, ranges: [{ from: 0, to: 1 }] },
    ]);
  });

  test("are the store's with the changed documents over it, as the next start would have them", async () => {
    const { config, write } = await place(0.25);
    sync(config);
    expect(currentExperiment(config, "exp")).toMatchObject({ revision: 1, traffic: 0.25 });
    await write(0.5);
    const next = currentExperiment(config, "exp");
    expect(next).toMatchObject({ revision: 2, traffic: 0.5 });
    expect(experimentHistory(config.dataDir, "exp")).toHaveLength(1);
    sync(config);
    expect(currentExperiment(config, "exp")).toEqual(next);
    expect(experimentHistory(config.dataDir, "exp").map(({ what }) => what)).toEqual([
      "created, running",
      "traffic 0.25 to 0.5",
    ]);
  });

  test("include what somebody else put into the store", async () => {
    const { config } = await place(0.25);
    const registry = openRegistry({ dataDir: config.dataDir, clock });
    registry.sync([documentWith({ id: "api", layer: "other" })], "ada");
    registry.close();
    expect(currentExperiments(config).map(({ id }) => id)).toEqual(["api", "exp"]);
  });

  test("that are unknown are refused with the nearest", async () => {
    const { config } = await place(1);
    sync(config);
    expect(() => currentExperiment(config, "exq")).toThrow('no experiment "exq" (did you mean "exp"?)');
    expect(() => experimentHistory(config.dataDir, "exq")).toThrow(
      'no experiment "exq" (did you mean "exp"?)',
    );
  });
});

describe("a unit", () => {
  test("gets an arm, or hears why not", async () => {
    const { config, write } = await place(1);
    expect(assignUnit(config, "u1", noAttributes)).toMatchObject({
      unit: "u1",
      assignments: [{ experiment: "exp", unit: "u1" }],
      decisions: [{ experiment: "exp", reason: "assigned" }],
    });
    await write(0);
    expect(assignUnit(config, "u1", noAttributes)).toMatchObject({
      assignments: [],
      decisions: [{ experiment: "exp", reason: "traffic" }],
    });
  });

  test.each(["", "ü".repeat(129)])("whose id is empty or over-long is refused", async (unit) => {
    const { config } = await place(1);
    expect(() => assignUnit(config, unit, noAttributes)).toThrow("--unit: expected an id of 1 to 256 bytes");
  });
});

import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { labelHouse } from "../support/label-house.ts";
import { rowsOf } from "../support/parquet.ts";
import { setlist, startSetlist } from "../support/setlist-command.ts";

const killsOfEach = 10;
const impressions = 800;

test("killed at any moment, labelling and compacting leave every record exactly once", async () => {
  const seed = Math.floor(Math.random() * 2 ** 31);
  console.log(`the moments of the kills are those of seed ${seed}`);
  let state = seed;
  const { dataDir, world, repository, labels } = await labelHouse(impressions, 2 * 1024);
  const commands = {
    label: ["label", "--data-dir", dataDir, "--models", repository, "--world", world],
    compact: ["compact", "--data-dir", dataDir],
  };
  const done = {
    label: join(dataDir, "labels/teacher=linear/version=1/done"),
    compact: join(dataDir, "warehouse/done"),
  };
  const markers = async (what: "label" | "compact"): Promise<number> =>
    (await readdir(done[what]).catch(() => [])).length;
  /** Kills so long after the run has written its first marker: at whatever it does to the next segments. */
  const killed = async (what: "label" | "compact", afterMs: number): Promise<boolean> => {
    const { child, ended } = startSetlist(...commands[what]);
    const before = await markers(what);
    while (child.exitCode === null && (await markers(what)) === before) await sleep(5);
    await sleep(afterMs);
    child.kill("SIGKILL");
    return (await ended).code === null;
  };
  const moment = (): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return (state / 2 ** 32) * 25;
  };
  const kills = { label: 0, compact: 0 };
  for (let round = 0; round < killsOfEach; round++) {
    const [label, compact] = await Promise.all([killed("label", moment()), killed("compact", moment())]);
    if (label) kills.label += 1;
    if (compact) kills.compact += 1;
  }
  console.log(`killed: ${kills.label} of label, ${kills.compact} of compact`);
  // A fast machine may be done with all segments before the last kill.
  for (const count of Object.values(kills))
    expect(count, `seed ${seed}`).toBeGreaterThanOrEqual(killsOfEach / 2);
  for (const what of ["label", "compact"] as const)
    expect(await setlist(...commands[what]), `seed ${seed}: ${what}`).toMatchObject({ code: 0 });
  const warehouse = (table: string): string =>
    `read_parquet('${dataDir}/warehouse/${table}/date=*/*.parquet', hive_partitioning = false)`;
  for (const [table, key, count] of [
    [labels, "(request, item)", 2 * impressions],
    [warehouse("impressions"), "request", impressions],
    [warehouse("outcomes"), "outcome", impressions],
  ] as const) {
    const counted = `SELECT count(*)::INTEGER AS n, count(DISTINCT ${key})::INTEGER AS keys FROM ${table}`;
    expect(await rowsOf(counted), `seed ${seed}: ${table}`).toStrictEqual([{ n: count, keys: count }]);
  }
});

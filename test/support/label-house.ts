/** Data directories with a sealed log and imported features, and `linear` as a teacher for them. */
import { cp, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { openFeatureStore } from "../../src/features/features.ts";
import { impressionOf, outcomeOf } from "./log-records.ts";
import { hastyDisk, openTestLog } from "./outcomes-log.ts";
import { temporaryFolder } from "./temporary-folder.ts";
import { manifestOf, repositoryWith, tinyModels } from "./tiny-models.ts";
import { writeWorld } from "./tiny-world.ts";

export interface LabelHouse {
  readonly dataDir: string;
  readonly world: string;
  readonly repository: string;
  /** The labels as a table of SQL. */
  readonly labels: string;
}

/** Ten items `t0` to `t9` of popularity 0 to 0.9, and the user `u1` of taste 0.4. */
export async function labelWorld(): Promise<string> {
  const items = Object.fromEntries(Array.from({ length: 10 }, (_, i) => [`t${i}`, { popularity: i / 10 }]));
  return writeWorld(join(await temporaryFolder(), "world"), { users: { u1: { taste: [0.4, 0] } }, items });
}

/** Click is 0.5 popularity + 0.25 taste; each of the impressions `r<n>` shows t1 and t5 and has one outcome. */
export async function labelHouse(impressions: number, segmentBytesMax = 1024 * 1024): Promise<LabelHouse> {
  const dataDir = await temporaryFolder();
  const world = await labelWorld();
  const features = join(dataDir, "features");
  await mkdir(features, { recursive: true });
  await (await openFeatureStore({ directory: features, world, cacheRowsMax: 100 })).close();
  const { repository } = await repositoryWith("linear", (manifest) => {
    manifest["role"] = "teacher";
  });
  const log = await openTestLog(join(dataDir, "log"), { segmentBytesMax, disk: hastyDisk });
  for (let i = 0; i < impressions; i++) {
    await log.appendImpression(impressionOf(`r${i}`, "u1", "kd", ["t1", "t5"]));
    await log.appendOutcomes([outcomeOf(`o${i}`, `r${i}`, "t5")]);
  }
  await log.close();
  return { dataDir, world, repository, labels: labelsIn(dataDir, "linear") };
}

/** Puts `linear` into a repository once more, as a teacher of another name. */
export async function addTeacher(repository: string, name: string): Promise<void> {
  const folder = join(repository, name, "1");
  await cp(join(tinyModels, "linear", "1"), folder, { recursive: true });
  const manifest = { ...(await manifestOf("linear")), name, role: "teacher" };
  await writeFile(join(folder, "manifest.json"), JSON.stringify(manifest));
}

export function labelsIn(dataDir: string, teacher: string): string {
  return `read_parquet('${dataDir}/labels/teacher=${teacher}/version=1/date=*/*.parquet', hive_partitioning = false)`;
}

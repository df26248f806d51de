import { copyFile, link, mkdir, readdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";

const committed = join(import.meta.dirname, "../models/repository");

/**
 * A committed model as one more version of itself, whole before it is where a server looks. The graphs are links where the
 * disk is the same: no copy of ours disturbs the load.
 */
export async function publishVersion(repository: string, name: string, version: number): Promise<void> {
  const from = join(committed, name, "1");
  const staged = join(repository, "..", `staged-${name}-${version}`);
  await mkdir(staged, { recursive: true });
  for (const file of await readdir(from)) {
    if (file === "manifest.json") continue;
    const [source, target] = [join(from, file), join(staged, file)];
    await link(source, target).catch(() => copyFile(source, target));
  }
  const manifest = JSON.parse(await readFile(join(from, "manifest.json"), "utf8")) as object;
  await writeFile(join(staged, "manifest.json"), JSON.stringify({ ...manifest, version: String(version) }));
  await mkdir(join(repository, name), { recursive: true });
  await rename(staged, join(repository, name, String(version)));
}

import { createHash } from "node:crypto";
import { cp, mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";

const committed = join(import.meta.dirname, "../../models/repository");

/** Versions of committed models in a repository of a test's own. */
export interface ScratchRepository {
  readonly path: string;
  /** Writes a version of a committed model: beside the repository first, then whole into its place. */
  publish(name: string, version: string, change?: (folder: string) => Promise<void>): Promise<string>;
}

export async function scratchRepository(folder: string): Promise<ScratchRepository> {
  const path = join(folder, "repository");
  const staging = join(folder, "staging");
  await mkdir(path, { recursive: true });
  await mkdir(staging, { recursive: true });
  return {
    path,
    async publish(name, version, change = async () => undefined) {
      const staged = join(staging, `${name}-${version}`);
      await writeVersion(name, version, staged);
      await change(staged);
      const place = join(path, name, version);
      await mkdir(join(path, name), { recursive: true });
      await rename(staged, place);
      return place;
    },
  };
}

/** A copy of version 1 of a committed model that says that it is another version. */
export async function writeVersion(name: string, version: string, to: string): Promise<void> {
  await cp(join(committed, name, "1"), to, { recursive: true });
  await changeManifest(to, (manifest) => {
    manifest["version"] = version;
  });
}

export async function changeManifest(
  folder: string,
  change: (manifest: Record<string, unknown>) => void,
): Promise<void> {
  const file = join(folder, "manifest.json");
  const manifest = JSON.parse(await readFile(file, "utf8")) as Record<string, unknown>;
  change(manifest);
  await writeFile(file, JSON.stringify(manifest));
}

/** A golden example that the model does not compute: whole, and wrong. */
export async function breakGolden(folder: string): Promise<void> {
  const file = join(folder, "golden.json");
  const golden = JSON.parse(await readFile(file, "utf8")) as { output: { data: number[] } };
  golden.output.data[0] = 1 - (golden.output.data[0] ?? 0);
  await writeFile(file, JSON.stringify(golden));
}

/** A graph that cannot be loaded, with the checksum that its manifest then says. */
export async function breakGraph(folder: string): Promise<void> {
  const bytes = Buffer.from("this is no graph");
  await writeFile(join(folder, "model.onnx"), bytes);
  await changeManifest(folder, (manifest) => {
    manifest["sha256"] = createHash("sha256").update(bytes).digest("hex");
  });
}

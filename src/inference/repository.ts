import { createHash } from "node:crypto";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { invalidArgument, SetlistError } from "../domain/error.ts";
import type { ModelRef, ModelRole, ModelVersion } from "../domain/model.ts";
import { nearest } from "../schema/schema.ts";
import { type Golden, parseGolden } from "./golden.ts";
import type { GraphSource } from "./graph-source.ts";
import { HeldFile } from "./held-file.ts";
import { type Manifest, parseManifest } from "./manifest.ts";
import type { StoredSplit } from "./split.ts";
import { compareVersions } from "./version-policy.ts";

/** One version of a model as it stands in the repository, read and checked, not yet run. */
export interface StoredModel {
  readonly manifest: Manifest;
  readonly graph: GraphSource;
  readonly golden: Golden | undefined;
  readonly split: StoredSplit | undefined;
  /** Of its reference graph, for messages. */
  readonly path: string;
  /** Its files are open until then, for workers to read them. */
  close(): void;
}

/**
 * Reads the models of one role that `refs` name (a reference without a version: the highest), or all of that role.
 * @throws {SetlistError} INVALID_ARGUMENT naming file, expected and found.
 */
export async function readRepository(
  repository: string,
  refs: readonly ModelRef[] | undefined,
  role: ModelRole,
  onWarning: (warning: string) => void,
): Promise<readonly StoredModel[]> {
  const places = await findVersions(repository, onWarning);
  const wanted = refs === undefined ? places : choose(places, refs, repository);
  if (wanted.length === 0) {
    throw invalidArgument(
      `${repository}: expected at least one model, <name>/<version>/manifest.json, found none`,
    );
  }
  const described = await Promise.all(wanted.map((place) => readManifest(repository, place)));
  const ofRole = described.filter(({ manifest }) => manifest.model.role === role);
  const other = described.find(({ manifest }) => manifest.model.role !== role);
  if (other !== undefined && (refs !== undefined || ofRole.length === 0)) {
    throw invalidArgument(
      `${other.path}: role: expected "${role}"${refs === undefined ? " of at least one model" : ""}, found "${other.manifest.model.role}"`,
    );
  }
  return Promise.all(ofRole.map(readModel));
}

/**
 * Every `<name>/<version>/` of the repository, versions of a model in rising order.
 * @throws {SetlistError} INVALID_ARGUMENT where it is no folder of models.
 */
export async function findVersions(
  repository: string,
  onWarning: (warning: string) => void,
): Promise<ModelVersion[]> {
  const places: ModelVersion[] = [];
  const names = await foldersOf(repository);
  const folders = await Promise.all(
    names.map((name) => (modelName.test(name) ? foldersOf(join(repository, name)) : undefined)),
  );
  for (const [index, name] of names.entries()) {
    const inside = folders[index];
    if (inside === undefined) {
      onWarning(`${join(repository, name)}: ignored, a model's folder is named [a-z0-9-]{1,64}`);
      continue;
    }
    const versions: string[] = [];
    for (const version of inside) {
      if (modelVersion.test(version)) versions.push(version);
      else
        onWarning(
          `${join(repository, name, version)}: ignored, a version's folder is a whole number from 1 to 999999999`,
        );
    }
    if (versions.length === 0) onWarning(`${join(repository, name)}: ignored, it holds no version`);
    versions.sort(compareVersions);
    places.push(...versions.map((version) => ({ name, version })));
  }
  return places;
}

function choose(
  places: readonly ModelVersion[],
  refs: readonly ModelRef[],
  repository: string,
): readonly ModelVersion[] {
  const chosen = new Set<ModelVersion>();
  for (const ref of refs) {
    const versions = places.filter((place) => place.name === ref.name);
    if (versions.length === 0) {
      const known = [...new Set(places.map((place) => place.name))];
      throw invalidArgument(
        `${repository}: expected a model "${ref.name}", found none${nearest(ref.name, known)}`,
      );
    }
    const place =
      ref.version === undefined ? versions.at(-1) : versions.find((one) => one.version === ref.version);
    if (place === undefined) {
      const found = versions.map((one) => one.version).join(", ");
      throw invalidArgument(`${join(repository, ref.name)}: expected version ${ref.version}, found ${found}`);
    }
    chosen.add(place);
  }
  // In the order of the repository, whatever that of the references: the highest version stands last.
  return places.filter((place) => chosen.has(place));
}

/** A manifest that has been checked, and where it stands. */
export interface DescribedModel {
  readonly manifest: Manifest;
  readonly folder: string;
  readonly path: string;
}

/** @throws {SetlistError} INVALID_ARGUMENT naming file, expected and found. */
export async function readManifest(repository: string, place: ModelVersion): Promise<DescribedModel> {
  const folder = join(repository, place.name, place.version);
  const path = join(folder, "manifest.json");
  const text = (await readOr(path, "the model's manifest")).toString("utf8");
  return { manifest: parseManifest(text, path, place), folder, path };
}

/**
 * Reads what a manifest names, each file compared with its checksum.
 * @throws {SetlistError} INVALID_ARGUMENT naming file, expected and found.
 */
export async function readModel({ manifest, folder, path }: DescribedModel): Promise<StoredModel> {
  const held: HeldFile[] = [];
  const close = (): void => {
    for (const file of held) file.close();
  };
  const { split } = manifest;
  try {
    const graph = await holdGraph(folder, manifest, path, held);
    return {
      manifest,
      graph,
      path: graph.path,
      golden: await readGolden(folder, manifest),
      split: split && {
        item: await holdGraph(folder, split.item, path, held),
        request: await holdGraph(folder, split.request, path, held),
        rowWidth: split.rowWidth,
      },
      close,
    };
  } catch (error) {
    close();
    throw error;
  }
}

/** A file of the manifest, compared with its checksum; it stays open in `held`. */
async function holdGraph(
  folder: string,
  { file, sha256 }: { readonly file: string; readonly sha256: string },
  manifestPath: string,
  held: HeldFile[],
): Promise<GraphSource> {
  const path = join(folder, file);
  const hash = createHash("sha256");
  try {
    const graph = await HeldFile.open(path);
    held.push(graph);
    for await (const piece of graph.pieces()) hash.update(piece);
    const digest = hash.digest("hex");
    if (digest === sha256) return { from: graph.from, path, sha256 };
    throw invalidArgument(
      `${path}: expected sha256 ${sha256}, as ${manifestPath} says, found ${digest}; was one changed without the other?`,
    );
  } catch (error) {
    if (error instanceof SetlistError) throw error;
    throw invalidArgument(`${path}: expected the file of ${manifestPath}, ${reason(error)}`);
  }
}

async function readGolden(folder: string, manifest: Manifest): Promise<Golden | undefined> {
  if (manifest.goldenFile === undefined) return undefined;
  const path = join(folder, manifest.goldenFile);
  const text = (await readOr(path, "the golden example of the manifest")).toString("utf8");
  return parseGolden(text, path, manifest);
}

async function foldersOf(path: string): Promise<string[]> {
  const names = await readdir(path).catch((error: unknown) => {
    throw invalidArgument(`${path}: expected a folder of models, ${reason(error)}`);
  });
  const kinds = await Promise.all(
    // Hidden entries are other programs' business; stat follows the links that a deployment may be made of.
    // What is gone again is none.
    names.map(async (name) => !name.startsWith(".") && (await isFolder(join(path, name)))),
  );
  return names.filter((_, index) => kinds[index]).sort();
}

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}

async function readOr(path: string, what: string): Promise<Buffer> {
  return HeldFile.read(path, textBytesMax).catch((error: unknown) => {
    throw invalidArgument(`${path}: expected ${what}, ${reason(error)}`);
  });
}

function reason(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return code === "ENOENT" ? "found nothing there" : `but it cannot be read (${code ?? message})`;
}

const modelName = /^[a-z0-9-]{1,64}$/;
/** No more than can be named: labels of metrics and addresses hold it too. */
const modelVersion = /^[1-9][0-9]{0,8}$/;

/** Of a manifest or a golden example, which are parsed at once on whoever answers; ours have 0.1 MB. */
const textBytesMax = 32 * 1_048_576;

/** The models of test/support/models/, which make-tiny-model.py writes, and requests that they can score. */
import { createHash } from "node:crypto";
import { cp, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import type { Clock } from "../../src/domain/clock.ts";
import type { EncodedRequest } from "../../src/domain/feature-store.ts";
import type { Model } from "../../src/domain/model.ts";
import type { Scorer } from "../../src/domain/scorer.ts";
import { openScorer, type ScorerOptions } from "../../src/inference/inference.ts";
import { encodedRequest } from "./encoded-request.ts";
import { temporaryFolder } from "./temporary-folder.ts";

export const tinyModels = join(import.meta.dirname, "models");

export const realClock: Clock = { now: () => Date.now(), monotonic: () => performance.now() };

/** A scorer over the tiny models, closed when the test is over. */
export async function openTinyScorer(options: Partial<ScorerOptions> = {}): Promise<Scorer> {
  const scorer = await openScorer({
    repository: tinyModels,
    workers: 1,
    batchRowsMax: 64,
    queueRequestsMax: 100,
    clock: realClock,
    ...options,
  });
  onTestFinished(() => scorer.close());
  return scorer;
}

export type ManifestJson = Record<string, unknown> & {
  inputs: Record<string, unknown>[];
  features: Record<string, unknown>[];
  output: Record<string, unknown>;
  valueModel: { kind: string; weights: Record<string, number> };
};

export async function manifestOf(name: string): Promise<ManifestJson> {
  return JSON.parse(await readFile(join(tinyModels, name, "1", "manifest.json"), "utf8"));
}

/** A repository with one tiny model in a folder of its own, its manifest changed by `change`. */
export async function repositoryWith(
  name: string,
  change: (manifest: ManifestJson) => void = () => undefined,
): Promise<{ repository: string; folder: string }> {
  const repository = await temporaryFolder();
  const folder = join(repository, name, "1");
  await cp(join(tinyModels, name, "1"), folder, { recursive: true });
  const manifest = await manifestOf(name);
  change(manifest);
  await writeFile(join(folder, "manifest.json"), JSON.stringify(manifest));
  return { repository, folder };
}

export function sha256(data: Uint8Array): string {
  return createHash("sha256").update(data).digest("hex");
}

/** One request of `candidates` candidates whose numbers and indices come from `draw` (uniform in [0, 1)). */
export function drawRequest(model: Model, candidates: number, draw: () => number): EncodedRequest {
  const tensors = model.inputs.map(({ entity, dtype, columns }) => {
    if (columns === undefined) return undefined;
    const elements = (entity === "item" ? candidates : 1) * columns;
    if (dtype === "float32") return Float32Array.from({ length: elements }, () => draw() * 4 - 2);
    const indices = entity === "item" ? 65 : 3;
    return Int32Array.from({ length: elements }, () => Math.floor(draw() * indices));
  });
  const itemPlaces = model.inputs.flatMap(({ entity }, place) => (entity === "item" ? [place] : []));
  return encodedRequest(candidates, tensors, itemPlaces);
}

/** A request for `linear`: click = 0.5 popularity + 0.25 taste, like = 0.01 genre + 0.1 device. */
export function linearRequest(
  taste: number,
  device: number,
  items: readonly (readonly [popularity: number, genre: number])[],
): EncodedRequest {
  const tensors = [
    Float32Array.of(taste, 0),
    Int32Array.of(device),
    Float32Array.from(items.flatMap(([popularity]) => [popularity, 0, 0])),
    Int32Array.from(items.flatMap(([, genre]) => [genre, 0, 0])),
    undefined,
  ];
  return encodedRequest(items.length, tensors, [2, 3]);
}

/** A request for `slow`, which takes about a third of a millisecond a candidate. */
export function slowRequest(candidates: number): EncodedRequest {
  return encodedRequest(candidates, [new Float32Array(2), new Float32Array(candidates * 3), undefined], [1]);
}

import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ValueModelOverride } from "../../src/domain/model.ts";
import { type RunningApp, startApp } from "../support/running-app.ts";
import { suiteFolder, temporaryFolder } from "../support/temporary-folder.ts";

const home = (valueModel: ValueModelOverride) =>
  new Map([["home", { defaultModel: { name: "home-control" }, timeoutMs: 5_000, valueModel }]]);
const once = { diversity: [{ by: "artist", decay: 0 }] };
const candidateIds = Array.from({ length: 200 }, (_, i) => `t${i + 1}`);

interface Explained {
  readonly items: {
    readonly score: number;
    readonly explanation: { readonly fused: number; readonly steps: { key?: string; repeats: number }[] };
  }[];
  readonly valueModelOrigin: object;
}

describe("the committed world, its home surface told to show an artist once, but for one arm", () => {
  let data: Awaited<ReturnType<typeof suiteFolder>>;
  let documents: Awaited<ReturnType<typeof suiteFolder>>;
  let app: RunningApp;
  beforeAll(async () => {
    data = await suiteFolder();
    documents = await suiteFolder();
    const experiments = documents.path;
    const arms =
      "  - { id: control, control: true, model: { name: home-control } }\n" +
      "  - { id: free, model: { name: home-control }, valueModel: { diversity: [] } }\n";
    await writeFile(
      join(experiments, "free.yaml"),
      `id: free\nsurface: home\nlayer: l\nstatus: running\noverrides: { u1: control, u2: free }\narms:\n${arms}`,
    );
    app = await startApp(data.path, { surfaces: home(once), experiments });
  });
  afterAll(async () => {
    await app.stop();
    await data.remove();
    await documents.remove();
  });

  const rank = async (id: string): Promise<Explained> => {
    const request = { surface: "home", user: { id }, candidateIds, explain: true };
    return (await app.post("/v1/rank", request)).body as Explained;
  };

  test("ranks every artist's second track behind every first", async () => {
    const { items, valueModelOrigin } = await rank("u1");
    expect(valueModelOrigin).toEqual({ fusion: "model", diversity: "surface" });
    expect(items).toHaveLength(200);
    const keys = items.map(({ explanation }) => explanation.steps[0]?.key);
    const artists = new Set(keys);
    expect(keys.every((key) => key !== undefined)).toBe(true);
    expect(artists.size).toBeLessThan(200);
    expect(new Set(keys.slice(0, artists.size))).toEqual(artists);
    for (const { score, explanation } of items) {
      expect(score).toBe(explanation.steps[0]?.repeats === 0 ? explanation.fused : 0);
    }
  });

  test("ranks by the fused score alone in that arm", async () => {
    const { items, valueModelOrigin } = await rank("u2");
    expect(valueModelOrigin).toEqual({ fusion: "model", diversity: "arm" });
    for (const { score, explanation } of items)
      expect(explanation).toMatchObject({ fused: score, steps: [] });
  });

  test("takes the request's artist before the store's", async () => {
    const candidates = ["t1", "t2", "t3"].map((id) => ({ id, features: { artist: "somebody" } }));
    const request = { surface: "home", user: { id: "u1" }, candidates, explain: true };
    const { items } = (await app.post("/v1/rank", request)).body as Explained;
    expect(items.map(({ explanation }) => explanation.steps[0])).toMatchObject([
      { key: "somebody", repeats: 0 },
      { key: "somebody", repeats: 1 },
      { key: "somebody", repeats: 2 },
    ]);
  });
});

test.each<[ValueModelOverride, string]>([
  [
    { diversity: [{ by: "artsit", decay: 0.5 }] },
    'surfaces.home.valueModel.diversity[0].by: no item feature "artsit" (did you mean "artist"?)',
  ],
  [
    { kind: "weighted-sum", weights: { clicks: 1 } },
    "surfaces.home.valueModel.weights.clicks: expected a task of home-control/",
  ],
])("a server is not started with %j", async (valueModel, sentence) => {
  await expect(startApp(await temporaryFolder(), { surfaces: home(valueModel) })).rejects.toThrow(sentence);
});

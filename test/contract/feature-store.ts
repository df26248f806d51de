/**
 * What every feature store promises, whatever keeps its rows. Each implementation runs this suite in a test file of
 * its own.
 */
import { describe, expect, test } from "vitest";
import type { Features } from "../../src/domain/feature.ts";
import { murmur3 } from "../../src/domain/murmur3.ts";
import type { Candidate } from "../../src/domain/rank.ts";
import type { PreparedFeatureStore } from "../../src/features/features.ts";
import { encodedBy } from "../support/encoded-request.ts";
import { homeModel, radioModel, requestOf, tempoModel, testWorld } from "../support/feature-models.ts";
import type { TinyWorld } from "../support/tiny-world.ts";

/** Opens a store that knows `world`; it is closed, and what it kept removed, when the running test is over. */
export type OpenStore = (world: TinyWorld, cacheRowsMax: number) => Promise<PreparedFeatureStore>;

const hash = (text: string, buckets: number): number => 1 + (murmur3(text) % buckets);
const floats = (...values: number[]): Float32Array => Float32Array.from(values);
const ints = (...values: number[]): Int32Array => Int32Array.from(values);
const itemIndices = (genre: number, id: string): number[] => [genre, hash(id, 1_000), hash(id, 77)];

export function featureStoreContract(name: string, open: OpenStore): void {
  const opened = async (cacheRowsMax = 100): Promise<PreparedFeatureStore> => {
    const store = await open(testWorld, cacheRowsMax);
    store.prepare([homeModel, tempoModel, radioModel]);
    return store;
  };

  describe(`${name}: what the store knows`, () => {
    test("fills the tensors, in the order of the model's inputs, one row a candidate", async () => {
      const store = await opened();
      const encoded = await encodedBy(store, homeModel, requestOf(["t2", "t1"]));
      expect(encoded).toEqual({
        candidateCount: 2,
        tensors: [
          floats(1.5, 2.5),
          undefined,
          ints(hash("t2", 1_000), hash("t1", 1_000), 0, 1, hash("u1", 50)),
          ints(0),
          floats(12, 0.3, 0.4, 11, 0.1, 0.2),
          ints(...itemIndices(3, "t2"), ...itemIndices(2, "t1")),
        ],
        defaultedCount: 0,
        storeUnavailable: false,
      });
    });

    test("is cut after the feature's width, and a value outside the vocabulary is 0", async () => {
      const store = await opened();
      const { tensors, defaultedCount } = await encodedBy(
        store,
        homeModel,
        requestOf(["t3"], { user: { id: "u2" } }),
      );
      expect(tensors[2]).toEqual(
        ints(hash("t1", 1_000), hash("t2", 1_000), hash("t3", 1_000), 0, hash("u2", 50)),
      );
      expect(tensors[5]).toEqual(ints(...itemIndices(0, "t3")));
      expect(defaultedCount).toBe(0);
    });

    test("is the same the second time", async () => {
      const store = await opened();
      const request = requestOf(["t1", "nobody's", "t2"]);
      expect(await encodedBy(store, homeModel, request)).toEqual(await encodedBy(store, homeModel, request));
    });

    test("is each model's own", async () => {
      const store = await opened();
      await encodedBy(store, homeModel, requestOf(["t1", "t2"]));
      const { tensors } = await encodedBy(store, tempoModel, requestOf(["t1", "t2"]));
      expect(tensors).toEqual([floats(90, 100)]);
    });

    test("does not depend on how many rows may be kept in memory", async () => {
      const [roomy, narrow] = [await opened(100), await opened(2)];
      for (const ids of [
        ["t1", "t2", "t3", "t4"],
        ["t4", "t1"],
        ["t3", "x", "t1", "y", "t2"],
      ]) {
        expect(await encodedBy(narrow, homeModel, requestOf(ids))).toEqual(
          await encodedBy(roomy, homeModel, requestOf(ids)),
        );
      }
    });
  });

  describe(`${name}: what nobody knows`, () => {
    test("is the model's default, and an unknown item or user is counted", async () => {
      const store = await opened();
      const request = requestOf(["t1", "t99"], { user: { id: "u99" } });
      const { tensors, defaultedCount, storeUnavailable } = await encodedBy(store, homeModel, request);
      expect(tensors[0]).toEqual(floats(0.5, -0.5));
      expect(tensors[2]).toEqual(ints(0, 0, 0, 2, hash("u99", 50)));
      expect(tensors[4]).toEqual(floats(11, 0.1, 0.2, 7, 0, 0));
      expect(tensors[5]).toEqual(ints(...itemIndices(2, "t1"), ...itemIndices(0, "t99")));
      expect(defaultedCount).toBe(2);
      expect(storeUnavailable).toBe(false);
    });

    test("counts a row that lacks one feature of those asked for", async () => {
      const store = await opened();
      const request = requestOf(["t1", "t4"], { user: { id: "u3" } });
      const { tensors, defaultedCount } = await encodedBy(store, homeModel, request);
      expect(tensors[0]).toEqual(floats(0.5, -0.5));
      // An empty list is a value: nothing was heard yet.
      expect(tensors[2]).toEqual(ints(0, 0, 0, 2, hash("u3", 50)));
      expect(defaultedCount).toBe(2);
      expect((await encodedBy(store, tempoModel, request)).defaultedCount).toBe(0);
    });

    test("is no reason to count the context, which no store keeps", async () => {
      const store = await opened();
      expect((await encodedBy(store, homeModel, requestOf(["t1"]))).defaultedCount).toBe(0);
    });
  });

  describe(`${name}: what the request brings`, () => {
    test("goes before what the store knows, feature by feature", async () => {
      const store = await opened();
      const request = requestOf(["t1", { id: "t2", features: { content: [8, 9], genre: ["ambient"] } }], {
        user: { features: { country: "FR", taste: [3, 4] } },
        context: { features: { device: "ios" } },
      });
      const { tensors } = await encodedBy(store, homeModel, request);
      expect(tensors[0]).toEqual(floats(3, 4));
      expect(tensors[2]).toEqual(ints(hash("t2", 1_000), hash("t1", 1_000), 0, 2, hash("u1", 50)));
      expect(tensors[3]).toEqual(ints(1));
      expect(tensors[4]).toEqual(floats(11, 0.1, 0.2, 12, 8, 9));
      expect(tensors[5]).toEqual(ints(...itemIndices(2, "t1"), ...itemIndices(1, "t2")));
    });

    test("is of that request only", async () => {
      const store = await opened();
      const plain = requestOf(["t1", "t99"], { user: { id: "u99" } });
      const before = await encodedBy(store, homeModel, plain);
      const features = { content: [8, 9], popularity: 1, genre: "pop" };
      await encodedBy(
        store,
        homeModel,
        requestOf(
          [
            { id: "t1", features },
            { id: "t99", features },
            { id: "t98", features },
          ],
          {
            user: { id: "u99", features: { taste: [1, 2] } },
            context: { features: { device: "ios" } },
          },
        ),
      );
      expect(await encodedBy(store, homeModel, plain)).toEqual(before);
      const { tensors } = await encodedBy(store, homeModel, requestOf(["t98"]));
      expect(tensors[4]).toEqual(floats(7, 0, 0));
    });

    test("makes an unknown item one that nothing is missing of", async () => {
      const store = await opened();
      const whole = { content: [1, 2], popularity: 3, genre: "pop" };
      const count = async (features: Features): Promise<number> =>
        (await encodedBy(store, homeModel, requestOf([{ id: "t99", features }]))).defaultedCount;
      expect(await count(whole)).toBe(0);
      expect(await count({ content: [1, 2], popularity: 3 })).toBe(1);
      expect(await count(whole)).toBe(0);
    });

    test("may be what only another model of the surface reads: callers cannot know which arm answers", async () => {
      const store = await opened();
      const request = requestOf([{ id: "t1", features: { tempo: 130 } }]);
      expect((await encodedBy(store, tempoModel, request)).tensors).toEqual([floats(130)]);
      expect(await encodedBy(store, homeModel, request)).toEqual(
        await encodedBy(store, homeModel, requestOf(["t1"])),
      );
    });

    const ofItem = (features: Features): Candidate[] => [{ id: "t1" }, { id: "t2", features }];
    test.each<[string, Features, string]>([
      [
        "a name that none reads",
        { contnt: [1, 2] },
        '.contnt: unknown item feature (did you mean "content"?)',
      ],
      ["a name of another entity", { taste: [1, 2] }, ".taste: unknown item feature"],
      ["an id", { id: "t3" }, ".id: an id stands beside the features, not among them"],
      [
        "a list that is too short",
        { content: [1] },
        ".content: expected an array of 2 finite numbers, got an array of 1 numbers",
      ],
      [
        "a list that is too long",
        { content: [1, 2, 3] },
        ".content: expected an array of 2 finite numbers, got an array of 3 numbers",
      ],
      ["a number for a list", { content: 1 }, ".content: expected an array of 2 finite numbers, got 1"],
      [
        "strings for numbers",
        { content: ["1", "2"] },
        ".content: expected an array of 2 finite numbers, got an array of 2 strings",
      ],
      ["a string for a number", { popularity: "1" }, '.popularity: expected a finite number, got "1"'],
      ["a number for a string", { genre: 3 }, ".genre: expected a string or an array of strings, got 3"],
      [
        "numbers for strings",
        { genre: [1, 2] },
        ".genre: expected a string or an array of strings, got an array of 2 numbers",
      ],
      [
        "not a number",
        { popularity: Number.NaN },
        ".popularity: expected a finite number, got NaN, which no float32 can hold",
      ],
      [
        "a number past float32",
        { content: [0, 1e39] },
        ".content: expected an array of 2 finite numbers, got 1e+39, which no float32 can hold",
      ],
    ])("is refused with its field for %s", async (_what, features, sentence) => {
      const store = await opened();
      const encoded = encodedBy(store, homeModel, requestOf(ofItem(features)));
      await expect(encoded).rejects.toMatchObject({
        code: "INVALID_ARGUMENT",
        message: expect.stringContaining(`candidates[1].features${sentence}`),
      });
    });

    test("is refused likewise for the user and the context", async () => {
      const store = await opened();
      const refusal = (parts: Parameters<typeof requestOf>[1]): Promise<unknown> =>
        encodedBy(store, homeModel, requestOf(["t1"], parts)).catch((error: Error) => error.message);
      expect(await refusal({ user: { features: { tast: [1, 2] } } })).toBe(
        'user.features.tast: unknown user feature (did you mean "taste"?)',
      );
      expect(await refusal({ user: { features: { taste: [1] } } })).toBe(
        "user.features.taste: expected an array of 2 finite numbers, got an array of 1 numbers",
      );
      expect(await refusal({ user: { features: { id: "u2" } } })).toBe(
        "user.features.id: an id stands beside the features, not among them",
      );
      expect(await refusal({ context: { features: { devise: "ios" } } })).toBe(
        'context.features.devise: unknown context feature (did you mean "device"?)',
      );
      expect(await refusal({ context: { features: { device: 1 } } })).toBe(
        "context.features.device: expected a string or an array of strings, got 1",
      );
    });

    test("is refused where only another surface's models read it", async () => {
      const store = await opened();
      const request = { ...requestOf([{ id: "t1", features: { content: [1, 2] } }]), surface: "radio" };
      await expect(encodedBy(store, radioModel, request)).rejects.toMatchObject({
        message: "candidates[0].features.content: unknown item feature (known: tempo)",
      });
    });
  });

  test(`${name}: a store that cannot be asked gives defaults, says so, and does not throw`, async () => {
    const store = await opened();
    await encodedBy(store, homeModel, requestOf(["t1"]));
    await store.close();
    const { tensors, defaultedCount, storeUnavailable } = await encodedBy(
      store,
      homeModel,
      requestOf(["t1", "t2", { id: "t3", features: { popularity: 3 } }]),
    );
    expect(storeUnavailable).toBe(true);
    // t1 is still in memory.
    expect(tensors[4]).toEqual(floats(11, 0.1, 0.2, 7, 0, 0, 3, 0, 0));
    expect(defaultedCount).toBe(2);
  });
}

import { describe, expect, test } from "vitest";
import type { Features } from "../../src/domain/feature.ts";
import { StoredItemLabels } from "../../src/features/item-labels.ts";

const rows: Record<string, Features> = {
  t1: { artist: "a1", genres: ["pop", "jazz"], year: 1999 },
  t2: { artist: "", genres: [] },
};

function store(cacheRowsMax = 10) {
  const asked: (readonly string[])[] = [];
  const labels = new StoredItemLabels(
    {
      columns: () =>
        new Map([
          ["id", "string"],
          ["artist", "string"],
        ]),
      read: async (_entity, ids) => {
        asked.push(ids);
        return ids.map((id) => rows[id]);
      },
      close: async () => {},
    },
    cacheRowsMax,
  );
  return { labels, asked };
}

describe("an item's label by a feature", () => {
  test("is its value as text, of a list the first", async () => {
    const { labels } = store();
    expect(await labels.labels("artist", ["t2", "t1"])).toEqual(["", "a1"]);
    expect(await labels.labels("genres", ["t1", "t2"])).toEqual(["pop", undefined]);
    expect(await labels.labels("year", ["t1"])).toEqual(["1999"]);
  });

  test("is unknown for a stranger and for a feature that the item lacks", async () => {
    expect(await store().labels.labels("year", ["stranger", "t2"])).toEqual([undefined, undefined]);
  });

  test("is read once and then remembered, strangers too", async () => {
    const { labels, asked } = store();
    const ids = ["t1", "stranger", "t2"];
    const first = await labels.labels("artist", ids);
    expect(await labels.labels("artist", ids)).toEqual(first);
    expect(asked).toEqual([ids]);
  });

  test("is read again where no more than so many are remembered", async () => {
    const { labels, asked } = store(1);
    expect(await labels.labels("artist", ["t1", "t2"])).toEqual(["a1", ""]);
    expect(await labels.labels("artist", ["t1", "t2"])).toEqual(["a1", ""]);
    expect(asked).toEqual([["t1", "t2"], ["t1"]]);
  });
});

test("what there may be labels by is the store's columns, but for the id", () => {
  expect(store().labels.features()).toEqual(["artist"]);
});

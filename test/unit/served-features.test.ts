import { expect, test } from "vitest";
import type { Features } from "../../src/domain/feature.ts";
import type { Impression } from "../../src/domain/impression.ts";
import type { Model } from "../../src/domain/model.ts";
import type { RankedItem, RankRequest } from "../../src/domain/rank.ts";
import { encodingName } from "../../src/domain/served-features.ts";
import { RequestEncoder } from "../../src/features/request-encoder.ts";
import type { RowSource } from "../../src/features/row-source.ts";
import { encodeServed } from "../../src/features/served-rows.ts";
import { frameHeaderBytes } from "../../src/outcomes/frame.ts";
import { readRecord, writeImpressionFrame } from "../../src/outcomes/record-codec.ts";
import { RecordWriter } from "../../src/outcomes/record-writer.ts";
import { seenTensors, servedFeatures } from "../../src/serving/served-features.ts";
import { wholeTensors } from "../support/encoded-request.ts";
import { homeModel, requestOf, tempoModel, testWorld } from "../support/feature-models.ts";
import { impressionOf } from "../support/log-records.ts";

/** A store whose rows change between two requests. */
function changingStore(): { encoder: RequestEncoder; change: () => void } {
  let changed = false;
  const source: RowSource = {
    columns: () => undefined,
    async read(entity, ids) {
      const rows: Readonly<Record<string, Features>> = entity === "user" ? testWorld.users : testWorld.items;
      return ids.map((id) => (changed ? { taste: [9, 9], content: [9, 9], popularity: 9 } : rows[id]));
    },
    async close() {},
  };
  return { encoder: new RequestEncoder(source, 0, () => undefined), change: () => (changed = true) };
}

const ranked = (ids: readonly string[]): RankedItem[] =>
  ids.map((id, place) => ({ id, position: place + 1, score: -place, tasks: {} }));

/** What is logged of a request that the model served, once it has been written and read. */
async function loggedOf(
  encoder: RequestEncoder,
  model: Model,
  request: RankRequest,
  order: readonly string[],
  shown = order.length,
): Promise<Impression> {
  const encoded = await encoder.encode(model, request);
  const seen = seenTensors(model, encoded);
  encoded.release();
  const items = ranked(order);
  const to = new RecordWriter();
  writeImpressionFrame(to, {
    ...impressionOf("r1", "u1", "kd"),
    items: items.slice(0, shown),
    beyondLimit: items.slice(shown),
    served: servedFeatures([seen], request.candidates, items),
    sent: { context: request.context.features },
  });
  return readRecord(to.bytes(), frameHeaderBytes, to.used) as Impression;
}

const inline = [
  "t3",
  { id: "t1", features: { popularity: 0.1 } },
  "t99",
  { id: "t2", features: { content: [0.1, -0], genre: "pop" } },
];

test("the log's features give the tensors that served, bit for bit, after the store has changed", async () => {
  const { encoder, change } = changingStore();
  const parts = { user: { features: { country: "FR" } }, context: { features: { device: "ios" } } };
  const order = ["t2", "t99", "t3", "t1"];
  const reordered = requestOf(
    order.map((id) => inline.find((one) => one === id || (one as { id: string }).id === id) ?? id),
    parts,
  );
  const expected = wholeTensors(homeModel, await encoder.encode(homeModel, reordered));
  const logged = await loggedOf(encoder, homeModel, requestOf(inline, parts), order);
  change();
  expect(wholeTensors(homeModel, await encoder.encode(homeModel, reordered))).not.toStrictEqual(expected);

  const again = encodeServed(homeModel, logged);
  expect(again && wholeTensors(homeModel, again)).toStrictEqual(expected);
});

test("features are logged by name, of items in the order in which they were ranked, those beyond the limit too", async () => {
  const { encoder } = changingStore();
  const logged = await loggedOf(encoder, tempoModel, requestOf(["t1", "t2", "t99"]), ["t2", "t99", "t1"], 2);
  expect(logged.items.map(({ id }) => id)).toEqual(["t2", "t99"]);
  expect(logged.served).toStrictEqual([
    {
      model: { name: tempoModel.name, version: tempoModel.version },
      rows: 3,
      features: [
        {
          name: "tempo",
          entity: "item",
          input: "item_numbers",
          encoding: "number",
          width: 1,
          values: Float32Array.of(100, 120, 90),
        },
      ],
    },
  ]);
  const again = encodeServed(tempoModel, logged);
  expect(again?.candidateCount).toBe(2);
  expect(again && wholeTensors(tempoModel, again)).toStrictEqual([Float32Array.of(100, 120)]);
});

test("items that no model scored have no features, and an impression that shows one cannot be encoded from the log", async () => {
  const { encoder } = changingStore();
  const scored = requestOf(["t1", "t2"]);
  const encoded = await encoder.encode(tempoModel, scored);
  const items = ranked(["t2", "t1", "t3"]);
  const all = requestOf(["t1", "t2", "t3"]).candidates;
  const served = servedFeatures([seenTensors(tempoModel, encoded)], all, items);
  expect(served?.[0]).toMatchObject({ rows: 2, features: [{ values: Float32Array.of(100, 90) }] });
  expect(encodeServed(tempoModel, { served, items })).toBeUndefined();
  expect(encodeServed(tempoModel, { served, items: items.slice(0, 2) })).toBeDefined();
});

test("of more values than a record should hold none are logged, and the impression goes without", async () => {
  const { encoder } = changingStore();
  const wide = (width: number): Model => ({
    ...tempoModel,
    inputs: tempoModel.inputs.map((input) => ({ ...input, columns: width })),
    features: tempoModel.features.map((spec) => ({ ...spec, width, default: new Array(width).fill(1) })),
  });
  const ids = Array.from({ length: 2_000 }, (_, i) => `x${i}`);
  const servedOf = async (model: Model) => {
    const request = requestOf(ids);
    const encoded = await encoder.encode(model, request);
    return servedFeatures([seenTensors(model, encoded)], request.candidates, ranked(ids));
  };
  expect((await servedOf(wide(1_000)))?.[0]?.features[0]?.values).toHaveLength(2_000_000);
  expect(await servedOf(wide(1_100))).toBeUndefined();
});

test("a model that encodes a feature otherwise, or reads one that was not served, is not given another's", async () => {
  const { encoder } = changingStore();
  const logged = await loggedOf(encoder, homeModel, requestOf(["t1"]), ["t1"]);
  const buckets = {
    ...homeModel,
    features: homeModel.features.map((spec) =>
      spec.name === "id" ? { ...spec, encoding: { kind: "hash" as const, buckets: 60 } } : spec,
    ),
  };
  const words = {
    ...homeModel,
    features: homeModel.features.map((spec) =>
      spec.name === "country"
        ? { ...spec, encoding: { kind: "vocabulary" as const, values: ["FR", "DE"] } }
        : spec,
    ),
  };
  expect(encodeServed(homeModel, logged)).toBeDefined();
  expect(encodeServed(buckets, logged)).toBeUndefined();
  expect(encodeServed(words, logged)).toBeUndefined();
  expect(encodeServed(tempoModel, logged)).toBeUndefined();
});

test("encodings have the names that training knows them by", () => {
  expect(encodingName({ kind: "vocabulary", values: ["ambient", "pop", "jäzz"] })).toBe(
    "vocabulary:3:2ad4a2cc",
  );
  expect(encodingName({ kind: "hash", buckets: 50 })).toBe("hash:50");
  expect(encodingName({ kind: "number" })).toBe("number");
});

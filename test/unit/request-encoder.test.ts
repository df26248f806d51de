import { expect, test } from "vitest";
import type { Features } from "../../src/domain/feature.ts";
import { RequestEncoder } from "../../src/features/request-encoder.ts";
import type { RowSource } from "../../src/features/row-source.ts";
import { wholeTensors } from "../support/encoded-request.ts";
import { homeModel, requestOf, tempoModel, testWorld } from "../support/feature-models.ts";

/** A source that a test can break, and that remembers what it was asked. */
class BreakableSource implements RowSource {
  broken = false;
  readonly asked: string[][] = [];

  columns(): undefined {
    return undefined;
  }

  async read(entity: "user" | "item", ids: readonly string[]): Promise<readonly (Features | undefined)[]> {
    this.asked.push([entity, ...ids]);
    if (this.broken) throw new Error("connection refused");
    const rows: Readonly<Record<string, Features>> = entity === "user" ? testWorld.users : testWorld.items;
    return ids.map((id) => rows[id]);
  }

  async close(): Promise<void> {}
}

function encoderOver(source: RowSource): { encoder: RequestEncoder; warnings: string[] } {
  const warnings: string[] = [];
  return { encoder: new RequestEncoder(source, 10, (warning) => warnings.push(warning)), warnings };
}

test("the source is asked once for what is not kept, unknown ids included", async () => {
  const source = new BreakableSource();
  const { encoder } = encoderOver(source);
  await encoder.encode(homeModel, requestOf(["t1", "t99", "t2"]));
  await encoder.encode(homeModel, requestOf(["t2", "t3", "t99"]));
  expect(source.asked).toEqual([
    ["user", "u1"],
    ["item", "t1", "t99", "t2"],
    ["item", "t3"],
  ]);
});

test("models that encode alike share what is kept, and are told apart all the same", async () => {
  const source = new BreakableSource();
  const { encoder } = encoderOver(source);
  const next = { ...homeModel, version: "2" };
  const before = await encoder.encode(homeModel, requestOf(["t1", "t99", "t2"]));
  const after = await encoder.encode(next, requestOf(["t2", "t1"]));
  expect(source.asked).toEqual([
    ["user", "u1"],
    ["item", "t1", "t99", "t2"],
  ]);
  expect([...after.slots]).toEqual([before.slots[2], before.slots[0]]);
  expect(after.table.tensors).toEqual(before.table.tensors);
  expect(after.table).not.toBe(before.table);
  encoder.forget(homeModel);
  await encoder.encode(next, requestOf(["t1"]));
  expect(source.asked).toHaveLength(2);
});

test("a model with another default for one feature has rows of its own", async () => {
  const source = new BreakableSource();
  const { encoder } = encoderOver(source);
  const slower = { ...tempoModel, features: tempoModel.features.map((one) => ({ ...one, default: [60] })) };
  await encoder.encode(tempoModel, requestOf(["t99"]));
  const encoded = await encoder.encode(slower, requestOf(["t99"]));
  expect(wholeTensors(slower, encoded)).toEqual([Float32Array.of(60)]);
  expect(source.asked.filter(([entity]) => entity === "item")).toHaveLength(2);
});

test("a source that fails is warned of once, and asked again: defaults are not kept", async () => {
  const source = new BreakableSource();
  const { encoder, warnings } = encoderOver(source);
  source.broken = true;
  const request = requestOf(["t1"]);
  const without = await encoder.encode(tempoModel, request);
  expect(wholeTensors(tempoModel, without)).toEqual([Float32Array.of(120)]);
  expect(without).toMatchObject({ defaultedCount: 1, storeUnavailable: true });
  await encoder.encode(tempoModel, request);
  expect(warnings).toEqual([
    "the feature store cannot be read: connection refused; requests get defaults until it can",
  ]);

  source.broken = false;
  const found = await encoder.encode(tempoModel, request);
  expect(wholeTensors(tempoModel, found)).toEqual([Float32Array.of(90)]);
  expect(found).toMatchObject({ defaultedCount: 0, storeUnavailable: false });
  source.broken = true;
  await encoder.encode(tempoModel, requestOf(["t2"]));
  expect(warnings).toHaveLength(2);
});

test("a source that cannot say who the user is is told, also where all items are kept", async () => {
  const source = new BreakableSource();
  const { encoder } = encoderOver(source);
  await encoder.encode(homeModel, requestOf(["t1"]));
  source.broken = true;
  const stranger = await encoder.encode(homeModel, requestOf(["t1"], { user: { id: "u2" } }));
  expect(stranger.storeUnavailable).toBe(true);
});

test("a model that asks for nothing but ids asks no source", async () => {
  const source = new BreakableSource();
  const { encoder } = encoderOver(source);
  const idsOnly = {
    ...homeModel,
    inputs: [{ name: "item_indices", dtype: "int32", entity: "item", columns: 2 } as const],
    features: homeModel.features
      .filter((feature) => feature.entity === "item" && feature.name === "id")
      .map((feature, index) => ({ ...feature, offset: index })),
  };
  source.broken = true;
  const encoded = await encoder.encode(idsOnly, requestOf(["t1", "t99"]));
  expect(encoded).toMatchObject({ defaultedCount: 0, storeUnavailable: false });
  expect(wholeTensors(idsOnly, encoded)[0]?.every((index) => index > 0)).toBe(true);
  expect(source.asked).toEqual([]);
});

test("a long first encoding lets others have their turn", async () => {
  const { encoder } = encoderOver(new BreakableSource());
  let turns = 0;
  let next: NodeJS.Immediate | undefined;
  const turn = (): void => {
    turns += 1;
    next = setImmediate(turn);
  };
  turn();
  await encoder.encode(homeModel, requestOf(Array.from({ length: 2_000 }, (_, index) => `x${index}`)));
  clearImmediate(next);
  expect(turns).toBeGreaterThanOrEqual(10);
});

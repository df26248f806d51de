/** Reads `models/world/`: docs/model-manifest.md, "The world", says what stands there. */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import Type, { type Static } from "typebox";
import { SetlistError } from "../domain/error.ts";
import type { Features } from "../domain/feature.ts";
import { unreadableReason } from "../domain/unreadable.ts";
import { parserOf } from "../schema/schema.ts";
import type { Listener, Surface, Track, World } from "./world.ts";

const surfaceSchema = Type.Object({
  contextFeatures: Type.Array(Type.Object({ name: Type.String(), fromSeedTrack: Type.String() })),
});
const worldSchema = Type.Object({
  schemaVersion: Type.Literal(1),
  surfaces: Type.Object({ home: surfaceSchema, radio: surfaceSchema }),
  files: Type.Record(Type.String(), Type.String()),
});
type WorldFile = Static<typeof worldSchema>;
const parseWorldFile = parserOf(worldSchema);

/** A column's values, one a row. */
type Columns = Record<string, readonly unknown[]>;

/**
 * Reads and checks the world of a folder. `truthFile` is the truth model's path, its digest checked like the others'.
 * @throws {SetlistError} NOT_FOUND, INVALID_ARGUMENT: names the file, what was expected and what was found.
 */
export async function readWorld(folder: string): Promise<{ world: World; truthFile: string }> {
  const file = join(folder, "world.json");
  const description = parseWorldFile(JSON.parse((await read(file)).toString("utf8")), file);
  const names = ["users.parquet", "items.parquet", "truth.onnx"] as const;
  for (const name of names) await checkDigest(join(folder, name), description.files[name]);
  const users = await readParquet(join(folder, "users.parquet"));
  const items = await readParquet(join(folder, "items.parquet"));
  return { world: worldOf(users, items, description), truthFile: join(folder, "truth.onnx") };
}

function worldOf(users: Columns, items: Columns, { surfaces }: WorldFile): World {
  const tracks = tracksOf(items);
  const rowOf = new Map(tracks.map((track, row) => [track.id, row]));
  return {
    listeners: listenersOf(users, rowOf),
    tracks,
    seedFeatures(surface: Surface, seedTrack: number): Features {
      if (tracks[seedTrack] === undefined) return {};
      const sources = surfaces[surface].contextFeatures;
      return Object.fromEntries(
        sources.map(({ name, fromSeedTrack }) => [
          name,
          items[fromSeedTrack]?.[seedTrack] as string | number[],
        ]),
      );
    },
  };
}

function listenersOf(users: Columns, rowOf: ReadonlyMap<string, number>): Listener[] {
  return strings(users, "id").map((id, row) => ({
    id,
    activity: Number(column(users, "weekly_plays")[row]) + 1,
    history: (column(users, "history")[row] as string[]).flatMap((track) => rowOf.get(track) ?? []),
    country: String(column(users, "country")[row]),
    device: String(column(users, "device")[row]),
  }));
}

function tracksOf(items: Columns): Track[] {
  return strings(items, "id").map((id, row) => ({
    id,
    content: column(items, "content")[row] as number[],
    playsWeek: Number(column(items, "plays_week")[row]),
    ageDays: Number(column(items, "age_days")[row]),
  }));
}

function strings(columns: Columns, name: string): string[] {
  return column(columns, name).map(String);
}

function column(columns: Columns, name: string): readonly unknown[] {
  const values = columns[name];
  if (values !== undefined) return values;
  throw new SetlistError(
    "INVALID_ARGUMENT",
    `the world's Parquet files: expected a column "${name}", found ${Object.keys(columns).join(", ")}`,
  );
}

/** FLOAT values come widened to doubles; nine digits say the same number in half the JSON. */
async function readParquet(file: string): Promise<Columns> {
  const instance = await DuckDBInstance.create(":memory:", { threads: "1" });
  const connection = await instance.connect();
  try {
    const reader = await connection.runAndReadAll("SELECT * FROM read_parquet($file)", { file });
    const columns = reader.getColumnsJS();
    return Object.fromEntries(
      reader.columnNames().map((name, i) => [name, (columns[i] ?? []).map(shortened)]),
    );
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

function shortened(value: unknown): unknown {
  if (!Array.isArray(value)) return value;
  return value.map((one) => (typeof one === "number" ? Number(one.toPrecision(9)) : one));
}

async function checkDigest(file: string, expected: string | undefined): Promise<void> {
  const found = createHash("sha256")
    .update(await read(file))
    .digest("hex");
  if (found === expected) return;
  throw new SetlistError(
    "INVALID_ARGUMENT",
    `${file}: expected sha256 ${expected ?? "(none in world.json)"}, found ${found}; fetch or train the world again`,
  );
}

async function read(file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (error) {
    throw new SetlistError(
      "NOT_FOUND",
      `the simulated world needs ${file}: ${unreadableReason(error)}; name its folder with --world`,
      { cause: error },
    );
  }
}

/**
 * What anyone who serves this model without Setlist would write for its features: read the Parquet files at start,
 * encode every row once as the manifest says, keep the rows in a Map.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import { murmur3 } from "../src/domain/murmur3.ts";

interface Feature {
  readonly name: string;
  readonly entity: "user" | "item" | "context";
  readonly input: string;
  readonly offset: number;
  readonly width: number;
  readonly encoding:
    | { kind: "number" }
    | { kind: "hash"; buckets: number }
    | { kind: "vocabulary"; values: string[] };
  readonly default: readonly (number | string)[];
}

export interface PlainManifest {
  readonly tasks: readonly string[];
  readonly inputs: readonly { name: string; dtype: string; shape: (string | number)[]; entity: string }[];
  readonly features: readonly Feature[];
  readonly valueModel: { readonly weights: Readonly<Record<string, number>> };
  readonly output: { readonly name: string };
  readonly file: string;
}

/** One entity's row: its columns of the float32 and of the int32 input. */
export interface EncodedRow {
  readonly numbers: Float32Array;
  readonly indices: Int32Array;
}

export interface PlainFeatures {
  readonly manifest: PlainManifest;
  readonly modelFile: string;
  readonly users: ReadonlyMap<string, EncodedRow>;
  readonly items: ReadonlyMap<string, EncodedRow>;
}

const repository = join(import.meta.dirname, "..");

export async function loadPlainFeatures(model = "home-control"): Promise<PlainFeatures> {
  const folder = join(repository, "models/repository", model, "1");
  const manifest = JSON.parse(readFileSync(join(folder, "manifest.json"), "utf8")) as PlainManifest;
  const world = join(repository, "models/world");
  return {
    manifest,
    modelFile: join(folder, manifest.file),
    users: encodeAll(await readRows(join(world, "users.parquet")), manifest, "user"),
    items: encodeAll(await readRows(join(world, "items.parquet")), manifest, "item"),
  };
}

type Row = Readonly<Record<string, unknown>>;

async function readRows(file: string): Promise<Row[]> {
  const instance = await DuckDBInstance.create(":memory:");
  const connection = await instance.connect();
  const reader = await connection.runAndReadAll("SELECT * FROM read_parquet($file)", { file });
  const rows = reader.getRowObjectsJS() as Row[];
  connection.closeSync();
  instance.closeSync();
  return rows;
}

function encodeAll(rows: readonly Row[], manifest: PlainManifest, entity: string): Map<string, EncodedRow> {
  return new Map(rows.map((row) => [String(row["id"]), encodeRow(row, manifest, entity)]));
}

function encodeRow(row: Row, manifest: PlainManifest, entity: string): EncodedRow {
  const features = manifest.features.filter((feature) => feature.entity === entity);
  const columns = (dtype: string) =>
    Number(manifest.inputs.find((input) => input.entity === entity && input.dtype === dtype)?.shape[1] ?? 0);
  const numbers = new Float32Array(columns("float32"));
  const indices = new Int32Array(columns("int32"));
  for (const feature of features) {
    const values = [row[feature.name] ?? feature.default].flat().slice(0, feature.width);
    for (const [i, value] of values.entries()) {
      const { encoding } = feature;
      if (encoding.kind === "number") numbers[feature.offset + i] = Number(value);
      else if (encoding.kind === "hash") {
        indices[feature.offset + i] = 1 + (murmur3(String(value)) % encoding.buckets);
      } else indices[feature.offset + i] = 1 + encoding.values.indexOf(String(value));
    }
  }
  return { numbers, indices };
}

import { stat } from "node:fs/promises";
import { join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import { describe, expect, it } from "vitest";
import { makeWorld } from "../../loadtest/made-world.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

async function ask(sql: string): Promise<unknown[]> {
  const instance = await DuckDBInstance.create(":memory:", { threads: "1" });
  const connection = await instance.connect();
  const rows = (await connection.runAndReadAll(sql)).getRowsJS();
  connection.closeSync();
  instance.closeSync();
  return rows;
}

const committed = join(import.meta.dirname, "../../models/world/items.parquet");

describe("a made-up world", () => {
  it("has ids t1 to its number and the committed items' columns", async () => {
    const folder = join(await temporaryFolder(), "world");
    await makeWorld(folder, 7_000);
    const made = join(folder, "items.parquet");
    const columns = (file: string) =>
      ask(`SELECT column_name, column_type FROM (DESCRIBE SELECT * FROM read_parquet('${file}'))`);
    expect(await columns(made)).toEqual(await columns(committed));
    const counted = await ask(
      `SELECT count(*)::INTEGER, count(DISTINCT id)::INTEGER,
        min(substr(id, 2)::INTEGER), max(substr(id, 2)::INTEGER) FROM read_parquet('${made}')`,
    );
    expect(counted).toEqual([[7_000, 7_000, 1, 7_000]]);
  });

  it("is made once: what is there is left", async () => {
    const folder = join(await temporaryFolder(), "world");
    await makeWorld(folder, 10);
    const before = await stat(join(folder, "items.parquet"));
    await makeWorld(folder, 10);
    expect((await stat(join(folder, "items.parquet"))).mtimeMs).toBe(before.mtimeMs);
  });
});

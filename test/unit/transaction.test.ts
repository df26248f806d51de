import { DatabaseSync } from "node:sqlite";
import { expect, onTestFinished, test } from "vitest";
import { transaction } from "../../src/registry/transaction.ts";

function numbers() {
  const database = new DatabaseSync(":memory:");
  onTestFinished(() => database.close());
  database.exec("CREATE TABLE numbers (number INTEGER NOT NULL, filling TEXT NOT NULL)");
  const insert = database.prepare("INSERT INTO numbers VALUES (?, ?)");
  return {
    database,
    put: (number: number) => transaction(database, () => insert.run(number, "x".repeat(100_000))),
    all: () =>
      database
        .prepare("SELECT number FROM numbers")
        .all()
        .map((row) => row["number"]),
  };
}

test("a full disk is said as it is, changes nothing, and the next write finds room", () => {
  const { database, put, all } = numbers();
  put(1);
  database.exec(
    `PRAGMA max_page_count = ${Number(database.prepare("PRAGMA page_count").get()?.["page_count"])}`,
  );
  expect(() => put(2)).toThrow(
    expect.objectContaining({
      code: "UNAVAILABLE",
      message: "the experiment store cannot be written now: the disk is full; nothing was changed",
    }),
  );
  expect(all()).toEqual([1]);
  database.exec("PRAGMA max_page_count = 100000");
  put(3);
  expect(all()).toEqual([1, 3]);
});

test("what the work itself refuses comes out as it is, and rolls back", () => {
  const { database, all, put } = numbers();
  const refused = new Error("no");
  expect(() =>
    transaction(database, () => {
      database.exec("INSERT INTO numbers VALUES (7, '')");
      throw refused;
    }),
  ).toThrow(refused);
  put(8);
  expect(all()).toEqual([8]);
});

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import {
  counterfactualColumns,
  impressionColumns,
  outcomeColumns,
  shadowColumns,
} from "../../src/warehouse/log-columns.ts";
import { trinoType } from "../support/trino-type.ts";

const page = readFileSync(join(import.meta.dirname, "../../docs/outcome-log-format.md"), "utf8");

test.each([
  ["impressions", impressionColumns],
  ["outcomes", outcomeColumns],
  ["shadows", shadowColumns],
  ["counterfactuals", counterfactualColumns],
])(
  "the documented table %s of Trino has every column that is written, in its order, in its type",
  (table, columns) => {
    const ddl = new RegExp(`CREATE TABLE hive\\.setlist\\.${table} \\(\\n(.*?)\\n\\) WITH`, "s").exec(
      page,
    )?.[1];
    const written = columns.map(({ name, type }) => `${name} ${trinoType(type)}`);
    expect(ddl?.split("\n").map((line) => line.trim().replace(/,$/, "").replaceAll('"', ""))).toEqual([
      ...written,
      "date date",
    ]);
  },
);

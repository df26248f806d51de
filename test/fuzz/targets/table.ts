/** Tables of others' making, as `analyze --table` reads them. */
import { readFileSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { analyzeTable } from "../../../src/analysis/analysis.ts";
import { parseTableMetric } from "../../../src/measurement/measurement.ts";
import { withScratchDatabase } from "../../../src/measurement/scratch-database.ts";
import { openTableFile } from "../../../src/measurement/table-file.ts";
import { existing, metricColumns } from "../../../src/measurement/table-metric.ts";
import { buildTableUnits } from "../../../src/measurement/table-units.ts";
import { runSql } from "../../support/tiny-world.ts";
import { accepts, type OpenTarget, type Target } from "../target.ts";

const rows = Array.from(
  { length: 12 },
  (_, i) => `u${i},${i % 2 === 0 ? "a" : "b"},${i},${i % 3 === 0 ? "true" : "0"}`,
);

/** The same rows as Parquet, whose reader is native code. */
async function parquetOf(csv: string): Promise<Buffer> {
  const folder = await mkdtemp(join(tmpdir(), "setlist-fuzz-"));
  const [from, to] = [join(folder, "table.csv"), join(folder, "table.parquet")];
  writeFileSync(from, csv);
  await runSql(`COPY (SELECT * FROM read_csv('${from}')) TO '${to}' (FORMAT parquet)`);
  const bytes = readFileSync(to);
  await rm(folder, { recursive: true });
  return bytes;
}

const comma = `u,arm,y,won\n${rows.join("\n")}\n`;
const texts = [
  comma,
  `u;arm;y;won\r\n${rows.join("\r\n").replaceAll(",", ";")}`,
  `\ufeff"u","arm","y","won"\n"a,b","a","1","0"\n"c""d","b","-1e3","false"\n`,
  `u\tarm\ty\twon\tY\n${rows.map((row) => `${row},`.replaceAll(",", "\t")).join("\n")}`,
];

/** An analysis begins with a database of its own; so many inputs are only read and folded, in one that stands. */
const wholeOneIn = 100;
const metrics = ["m=y:mean", "p=won:proportion", "r=y/won:ratio"];

async function open(): Promise<OpenTarget> {
  const folder = await mkdtemp(join(tmpdir(), "setlist-fuzz-"));
  const file = join(folder, "table.csv");
  let taken = 0;
  const done = Promise.withResolvers<void>();
  const opened = Promise.withResolvers<OpenTarget["take"]>();
  const standing = withScratchDatabase({ threads: 1 }, async (warehouse) => {
    opened.resolve((input) => {
      writeFileSync(file, input);
      const text = input.toString("latin1") + input.toString();
      taken += 1;
      if (taken % wholeOneIn === 0)
        return accepts(
          () =>
            analyzeTable({
              file,
              unit: "u",
              arm: "arm",
              control: "a",
              metrics: metrics.map(parseTableMetric),
              covariates: new Map([["m", ["y"]]]),
              weights: undefined,
              alpha: 0.05,
              asOf: new Date(0),
            }),
          text,
        );
      return accepts(async () => {
        const table = await openTableFile(warehouse, file);
        for (const metric of metrics) metricColumns(parseTableMetric(metric), table.columns);
        const names = {
          unit: existing("u", table.columns, "--unit"),
          arm: existing("arm", table.columns, "--arm"),
        };
        try {
          await buildTableUnits(warehouse, file, table, names, [
            { column: "y", fold: "sum" },
            { column: "won", fold: "any" },
          ]);
        } finally {
          await warehouse.run("DROP TABLE IF EXISTS table_units");
        }
      }, text);
    });
    await done.promise;
  });
  return {
    take: await opened.promise,
    async close() {
      done.resolve();
      await standing;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

export const tableTargets: readonly Target[] = [
  {
    name: "table",
    share: 1,
    corpus: [...texts.map((text) => Buffer.from(text)), await parquetOf(comma)],
    tokens: [
      ",",
      ";",
      "\t",
      "|",
      "\n",
      "\r",
      "\r\n",
      '"',
      '""',
      "nan",
      "inf",
      "1e400",
      "true",
      "a",
      "b",
      "u",
      "PAR1",
      "\ufeff",
      "'",
      "\\",
      "=1+1",
    ],
    mutate: (mutator, seed) =>
      mutator.below(3) === 0 || seed.subarray(0, 4).equals(Buffer.from("PAR1"))
        ? mutator.bytes(seed)
        : Buffer.from(mutator.text(seed.toString())),
    open,
  },
];

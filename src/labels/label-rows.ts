import { FLOAT, INTEGER, VARCHAR } from "@duckdb/node-api";
import {
  type Cell,
  identifier,
  literal,
  partitionDate,
  RowAppender,
  type Staging,
} from "../columnar/columnar.ts";
import type { Impression } from "../domain/impression.ts";

export interface Scored {
  readonly impression: Impression;
  /** `[items, tasks]`; otherwise why the teacher could not score the impression: see `Teacher`. */
  readonly probabilities: Float32Array | "pseudonymous" | undefined;
}

/** A segment's labels on their way into DuckDB, and what was counted of them. */
export class LabelRows {
  readonly dates: string[] = [];
  impressions = 0;
  labelled = 0;
  unlabelled = 0;
  /** Of those. */
  pseudonymous = 0;
  newestAt = 0;
  readonly #appender: RowAppender;
  /** Date, number, request, item, and a probability a task. */
  readonly #row: Cell[];
  /** Those of which something was labelled. */
  readonly requests = new Set<string>();
  /** Requests that occur more than once, or show an item more than once. */
  readonly #again = new Set<string>();

  private constructor(appender: RowAppender, tasks: number) {
    this.#appender = appender;
    this.#row = new Array(4 + tasks).fill(null);
  }

  static async open(staging: Staging, tasks: readonly string[]): Promise<LabelRows> {
    const columns = tasks.map((task) => `, ${identifier(task)} FLOAT`).join("");
    await staging.run(
      `CREATE TABLE labels ("$date" INTEGER, "$n" INTEGER, request VARCHAR, item VARCHAR${columns})`,
    );
    const types = [INTEGER, INTEGER, VARCHAR, VARCHAR, ...tasks.map(() => FLOAT)];
    return new LabelRows(await RowAppender.open(staging, "labels", types), tasks.length);
  }

  append(batch: readonly Scored[]): void {
    for (const { impression, probabilities } of batch) {
      const { requestId, items, at } = impression;
      this.impressions += 1;
      this.newestAt = Math.max(this.newestAt, at);
      if (!(probabilities instanceof Float32Array)) {
        this.unlabelled += items.length;
        if (probabilities === "pseudonymous") this.pseudonymous += items.length;
        continue;
      }
      if (this.requests.has(requestId) || new Set(items.map(({ id }) => id)).size < items.length)
        this.#again.add(requestId);
      this.requests.add(requestId);
      const date = this.#dateOf(at);
      // One row for all: with an array a candidate, a segment from a constant teacher took a tenth longer.
      const row = this.#row;
      row[0] = date;
      row[2] = requestId;
      for (let place = 0, from = 0; place < items.length; place++) {
        row[1] = this.labelled++;
        row[3] = items[place]?.id as string;
        for (let task = 4; task < row.length; task++) row[task] = probabilities[from++] as number;
        this.#appender.append(row);
      }
    }
  }

  /** Takes out the labels that `files` hold and those that the segment repeats; answers how many. */
  async finish(staging: Staging, files: readonly string[]): Promise<number> {
    this.#appender.close();
    let removed = 0;
    if (this.#again.size > 0) {
      const again = await this.#table(staging);
      removed += await deleted(
        staging,
        `DELETE FROM labels WHERE "$n" IN (SELECT "$n" FROM (SELECT "$n", row_number() OVER (PARTITION BY request, item
         ORDER BY "$n") AS nth FROM labels WHERE request IN (SELECT request FROM ${again})) WHERE nth > 1)`,
      );
    }
    if (files.length > 0) {
      removed += await deleted(
        staging,
        `DELETE FROM labels USING (SELECT request, item FROM read_parquet([${files.map(literal).join(", ")}],
         hive_partitioning = false) SEMI JOIN (SELECT DISTINCT request FROM labels) USING (request)) AS known
         WHERE labels.request = known.request AND labels.item = known.item`,
      );
    }
    return removed;
  }

  async #table(staging: Staging): Promise<string> {
    await staging.run("CREATE TABLE again (request VARCHAR)");
    const rows = await RowAppender.open(staging, "again", [VARCHAR]);
    for (const request of this.#again) rows.append([request]);
    rows.close();
    return "again";
  }

  #dateOf(at: number): number {
    const date = partitionDate(at);
    const place = this.dates.indexOf(date);
    return place >= 0 ? place : this.dates.push(date) - 1;
  }
}

async function deleted(staging: Staging, sql: string): Promise<number> {
  return (await staging.run(sql)).rowsChanged;
}

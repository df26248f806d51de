import { FLOAT, INTEGER, VARCHAR } from "@duckdb/node-api";
import {
  type ColumnarStore,
  identifier,
  literal,
  partitionDate,
  RowAppender,
  type Staging,
} from "../columnar/columnar.ts";
import type { Impression } from "../domain/impression.ts";
import type { LabelSegment, Teacher } from "./ports.ts";

/** What a segment's marker keeps of it. `unlabelled` are items of impressions whose features do not fit the teacher. */
export interface LabelFacts {
  readonly impressions: number;
  readonly labelled: number;
  readonly alreadyLabelled: number;
  readonly unlabelled: number;
  /** The time of the newest impression, ms since 1970, UTC; 0 where there is none. */
  readonly newestAt: number;
}

export const labelCounts = ["impressions", "labelled", "alreadyLabelled", "unlabelled", "newestAt"] as const;

/** Batches of records that are being scored at once: enough to fill the teacher's next run while one runs. */
const batchesUnderWay = 8;

interface Scored {
  readonly impression: Impression;
  readonly probabilities: Float32Array | undefined;
}

/** Scores a segment's impressions and publishes those labels that are not there yet. */
export async function labelSegment(options: {
  readonly segment: LabelSegment;
  readonly salt: number;
  readonly teacher: Teacher;
  readonly root: string;
  readonly store: ColumnarStore<LabelFacts>;
  readonly signal: AbortSignal;
}): Promise<LabelFacts> {
  const { segment, salt, teacher, root, store, signal } = options;
  return store.stage(async (staging) => {
    const rows = await LabelRows.open(staging, teacher.tasks);
    const underWay: Promise<readonly Scored[]>[] = [];
    try {
      for await (const records of segment.read()) {
        signal.throwIfAborted();
        const impressions = records.filter((record) => record.kind === "impression");
        const batch = Promise.all(
          impressions.map(async (impression) => ({
            impression,
            probabilities: await teacher.score(impression),
          })),
        );
        // Awaited in its turn: until then its failure must not count as unhandled, which ends the process.
        batch.catch(() => undefined);
        underWay.push(batch);
        if (underWay.length >= batchesUnderWay) rows.append(await (underWay.shift() as typeof batch));
      }
      while (underWay.length > 0) {
        signal.throwIfAborted();
        rows.append(await (underWay.shift() as Promise<readonly Scored[]>));
      }
    } finally {
      await Promise.allSettled(underWay);
    }
    const already = await rows.finish(staging, filesBefore(root, store));
    const dates = rows.dates;
    const labelled = rows.labelled - already;
    const facts = {
      impressions: rows.impressions,
      labelled,
      alreadyLabelled: already,
      unlabelled: rows.unlabelled,
      newestAt: rows.newestAt,
    };
    const columns = ["request", "item", ...teacher.tasks].map(identifier).join(", ");
    const kept = await datesLeft(staging, dates);
    await store.publish(
      staging,
      { name: segment.name, salt },
      [
        {
          folder: "",
          dates: kept,
          rows: (date) =>
            `SELECT ${columns} FROM labels WHERE "$date" = ${dates.indexOf(date)} ORDER BY "$n"`,
        },
      ],
      facts,
    );
    return facts;
  });
}

function filesBefore(root: string, store: ColumnarStore<LabelFacts>): readonly string[] {
  return [...store.done.values()].flatMap(({ files }) => files.map((file) => `${root}/${file}`));
}

/** A date of which every label is there already has no file. */
async function datesLeft(staging: Staging, dates: readonly string[]): Promise<string[]> {
  const result = await staging.runAndReadAll(`SELECT DISTINCT "$date" FROM labels ORDER BY 1`);
  return result.getRows().map(([place]) => dates[Number(place)] as string);
}

/** A segment's labels on their way into DuckDB, and what was counted of them. */
class LabelRows {
  readonly dates: string[] = [];
  impressions = 0;
  labelled = 0;
  unlabelled = 0;
  newestAt = 0;
  readonly #appender: RowAppender;
  readonly #tasks: number;
  readonly #requests = new Set<string>();
  /** Requests that occur more than once, or show an item more than once. */
  readonly #again = new Set<string>();

  private constructor(appender: RowAppender, tasks: number) {
    this.#appender = appender;
    this.#tasks = tasks;
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
      if (probabilities === undefined) {
        this.unlabelled += items.length;
        continue;
      }
      if (this.#requests.has(requestId) || new Set(items.map(({ id }) => id)).size < items.length)
        this.#again.add(requestId);
      this.#requests.add(requestId);
      const date = this.#dateOf(at);
      for (let place = 0; place < items.length; place++) {
        const from = place * this.#tasks;
        const id = items[place]?.id as string;
        const label = probabilities.subarray(from, from + this.#tasks);
        this.#appender.append(date, this.labelled++, requestId, id, ...label);
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
    for (const request of this.#again) rows.append(request);
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

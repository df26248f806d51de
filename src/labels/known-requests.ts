import { VARCHAR } from "@duckdb/node-api";
import { literal, RowAppender, type Staging } from "../columnar/columnar.ts";

/**
 * Which files may hold labels of a request. Without it, every segment would read all labels before it: 17 ns each, so
 * that after half an hour of 200,000 a second that alone would have taken as long as the labelling. It keeps a hash and
 * a place of each request, 12 bytes; what outgrows memory goes to the database's overflow.
 */
export class KnownRequests {
  readonly #index: Staging;
  readonly #filesAt: (readonly string[])[] = [];

  private constructor(index: Staging) {
    this.#index = index;
  }

  /** @param labelled the files of each segment that has labels. */
  static async open(index: Staging, labelled: Iterable<readonly string[]>): Promise<KnownRequests> {
    await index.run("CREATE TABLE known (request UBIGINT, place UINTEGER)");
    await index.run("CREATE TABLE asked (request VARCHAR)");
    const known = new KnownRequests(index);
    for (const files of labelled) {
      if (files.length === 0) continue;
      const place = known.#filesAt.push(files) - 1;
      await index.run(
        `INSERT INTO known SELECT DISTINCT hash(request), ${place}
         FROM read_parquet([${files.map(literal).join(", ")}], hive_partitioning = false)`,
      );
    }
    return known;
  }

  /** The files of those segments that may hold labels of any of these requests: now and then one that holds none. */
  async filesOf(requests: Iterable<string>): Promise<readonly string[]> {
    await this.#ask(requests);
    const places = await this.#index.runAndReadAll(
      "SELECT DISTINCT place FROM known SEMI JOIN (SELECT hash(request) AS request FROM asked) USING (request) ORDER BY 1",
    );
    return places.getRows().flatMap(([place]) => this.#filesAt[Number(place)] ?? []);
  }

  /** @param files where the labels of these requests went. */
  async add(requests: Iterable<string>, files: readonly string[]): Promise<void> {
    if (files.length === 0) return;
    await this.#ask(requests);
    const place = this.#filesAt.push(files) - 1;
    await this.#index.run(`INSERT INTO known SELECT hash(request), ${place} FROM asked`);
  }

  async #ask(requests: Iterable<string>): Promise<void> {
    await this.#index.run("DELETE FROM asked");
    const rows = await RowAppender.open(this.#index, "asked", [VARCHAR]);
    for (const request of requests) rows.append([request]);
    rows.close();
  }
}

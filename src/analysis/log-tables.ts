/** The log's records on their way into DuckDB: only what an analysis of this one experiment needs. */
import {
  DOUBLE,
  type DuckDBAppender,
  type DuckDBConnection,
  DuckDBDataChunk,
  INTEGER,
  LIST,
  listValue,
  UTINYINT,
  VARCHAR,
} from "@duckdb/node-api";
import type { Experiment } from "../domain/experiment.ts";
import { type Impression, isTrackedExposure } from "../domain/impression.ts";
import { type Outcome, userOf } from "../domain/outcome.ts";
import type { LogRecord } from "../domain/ports.ts";

/** What the stream held that is in no table. */
export interface Ingested {
  readonly impressionsOfOtherPhases: number;
  readonly impressionsOfUnknownArms: number;
  /** For each arm that was seen, the models that scored for it: `home-kd version 1`. */
  readonly modelsOfArms: ReadonlyMap<string, ReadonlySet<string>>;
  /** The outcome types that the metrics read, in the order of `outcomes.type`. */
  readonly types: readonly string[];
}

/**
 * Fills four tables, in the order of the log: `impressions (request, arm, unit, items, fallback, shown_at)`, all but
 * the first NULL for requests that do not count for this experiment; `outcomes (id, request, item, type, value)`;
 * `tracked (id, unit, type, value, occurred_at)`, what users did that answers no item, where users are the units; and
 * `forced (unit)`, each unit once that was forced into an arm in this phase. `arm` is the place in the document, `type`
 * the place in `types`, NULL where no metric reads it; `item` and `items` are numbers for item ids, since a list of
 * numbers loads twice as fast as one of texts; times are ms since 1970.
 */
export async function loadLog(
  warehouse: DuckDBConnection,
  experiment: Experiment,
  records: AsyncIterable<LogRecord>,
): Promise<Ingested> {
  await warehouse.run(
    "CREATE TABLE impressions (request VARCHAR, arm UTINYINT, unit VARCHAR, items INTEGER[], fallback UTINYINT, shown_at DOUBLE)",
  );
  await warehouse.run(
    "CREATE TABLE tracked (id VARCHAR, unit VARCHAR, type USMALLINT, value DOUBLE, occurred_at DOUBLE)",
  );
  await warehouse.run(
    "CREATE TABLE outcomes (id VARCHAR, request VARCHAR, item INTEGER, type USMALLINT, value DOUBLE)",
  );
  await warehouse.run("CREATE TABLE forced (unit VARCHAR)");
  const types = [...new Set(experiment.metrics.map((metric) => metric.outcome))];
  const typePlaces = new Map(types.map((type, place) => [type, place]));
  const armPlaces = new Map(experiment.arms.map((arm, place) => [arm.id, place]));
  const items = new ItemNumbers();
  const impressions = new ImpressionRows(await warehouse.createAppender("impressions"), items);
  const outcomes = await warehouse.createAppender("outcomes");
  const tracked = await warehouse.createAppender("tracked");
  const forced = new Set<string>();
  let impressionsOfOtherPhases = 0;
  let impressionsOfUnknownArms = 0;
  const modelsOfArms = new Map<string, Set<string>>();

  for await (const record of records) {
    if (record.kind === "shadow" || record.kind === "counterfactual") continue;
    if (record.kind === "outcome") {
      const type = typePlaces.get(record.type);
      const user = userOf(record);
      if (user !== undefined) {
        // Nobody can say in which of its sessions, or as part of what, it did that.
        const isUnit = experiment.unit === "user";
        if (isUnit && type !== undefined) appendTracked(tracked, record, user, type);
        continue;
      }
      outcomes.appendVarchar(record.outcomeId);
      outcomes.appendVarchar(record.requestId);
      outcomes.appendInteger(items.of(record.itemId));
      if (type === undefined) outcomes.appendNull();
      else outcomes.appendUSmallInt(type);
      outcomes.appendDouble(record.value);
      outcomes.endRow();
      continue;
    }
    const assignment = record.assignments.find((one) => one.experiment === experiment.id);
    const inPhase = assignment !== undefined && assignment.phase === experiment.phase;
    const arm = inPhase && !assignment.overridden ? armPlaces.get(assignment.arm) : undefined;
    if (inPhase && assignment.overridden) forced.add(assignment.unit);
    if (assignment !== undefined && !inPhase) impressionsOfOtherPhases += 1;
    if (inPhase && !armPlaces.has(assignment.arm)) impressionsOfUnknownArms += 1;
    if (arm !== undefined && assignment !== undefined && record.model !== undefined) {
      const models = modelsOfArms.get(assignment.arm) ?? new Set();
      modelsOfArms.set(assignment.arm, models.add(`${record.model.name} version ${record.model.version}`));
    }
    impressions.append(record, arm, assignment?.unit);
  }
  impressions.close();
  outcomes.closeSync();
  tracked.closeSync();
  await appendUnits(warehouse, "forced", forced);
  return { impressionsOfOtherPhases, impressionsOfUnknownArms, modelsOfArms, types };
}

async function appendUnits(
  warehouse: DuckDBConnection,
  table: string,
  units: ReadonlySet<string>,
): Promise<void> {
  const appender = await warehouse.createAppender(table);
  for (const unit of units) {
    appender.appendVarchar(unit);
    appender.endRow();
  }
  appender.closeSync();
}

function appendTracked(tracked: DuckDBAppender, outcome: Outcome, unit: string, type: number): void {
  tracked.appendVarchar(outcome.outcomeId);
  tracked.appendVarchar(unit);
  tracked.appendUSmallInt(type);
  tracked.appendDouble(outcome.value);
  tracked.appendDouble(outcome.occurredAt);
  tracked.endRow();
}

/** One number an item id, for the time of one analysis. Grows with the catalogue, not with the log. */
class ItemNumbers {
  readonly #numbers = new Map<string, number>();

  of(id: string): number {
    const known = this.#numbers.get(id);
    if (known !== undefined) return known;
    this.#numbers.set(id, this.#numbers.size);
    return this.#numbers.size - 1;
  }
}

const columnTypes = [VARCHAR, UTINYINT, VARCHAR, LIST(INTEGER), UTINYINT, DOUBLE];

/** DuckDB's chunks hold at most 2,048 rows. */
const chunkRows = 2_048;

/** Impressions go in by the chunk: appending lists row by row took four times as long (2.9 s for 50,000 of ten). */
class ImpressionRows {
  readonly #appender: DuckDBAppender;
  readonly #items: ItemNumbers;
  #columns: Parameters<DuckDBDataChunk["setColumns"]>[0][number][] = emptyColumns();

  constructor(appender: DuckDBAppender, items: ItemNumbers) {
    this.#appender = appender;
    this.#items = items;
  }

  append(impression: Impression, arm: number | undefined, unit: string | undefined): void {
    const counts = arm !== undefined;
    const row = [
      impression.requestId,
      arm ?? null,
      counts ? (unit ?? null) : null,
      counts ? listValue(impression.items.map((item) => this.#items.of(item.id))) : null,
      counts ? Number(impression.model === undefined && !isTrackedExposure(impression)) : null,
      counts ? impression.at : null,
    ];
    for (const [i, value] of row.entries()) (this.#columns[i] as (typeof value)[]).push(value);
    if ((this.#columns[0]?.length ?? 0) === chunkRows) this.#flush();
  }

  close(): void {
    if ((this.#columns[0]?.length ?? 0) > 0) this.#flush();
    this.#appender.closeSync();
  }

  #flush(): void {
    const chunk = DuckDBDataChunk.create(columnTypes);
    chunk.setColumns(this.#columns);
    this.#appender.appendDataChunk(chunk);
    this.#columns = emptyColumns();
  }
}

function emptyColumns(): Parameters<DuckDBDataChunk["setColumns"]>[0][number][] {
  return columnTypes.map(() => []);
}

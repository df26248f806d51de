import type { DatabaseSync, SQLOutputValue, StatementSync } from "node:sqlite";
import { SetlistError } from "../domain/error.ts";
import type { Experiment, ExperimentRevision } from "../domain/experiment.ts";
import { transaction } from "./transaction.ts";

type Row = Record<string, SQLOutputValue>;

/** The one table: a row a revision. Two writers of one revision collide on its key instead of losing one. */
export class RevisionTable {
  readonly #database: DatabaseSync;
  readonly #all: StatementSync;
  readonly #latest: StatementSync;
  readonly #of: StatementSync;

  constructor(database: DatabaseSync) {
    this.#database = database;
    const columns = "SELECT who, at, what, document FROM revisions";
    this.#all = database.prepare(`${columns} ORDER BY experiment, revision`);
    this.#of = database.prepare(`${columns} WHERE experiment = ? ORDER BY revision`);
    this.#latest = database.prepare(
      `${columns} AS one WHERE revision = (SELECT max(revision) FROM revisions WHERE experiment = one.experiment) ORDER BY experiment`,
    );
  }

  /** Every revision, by experiment, oldest first. */
  all(): readonly ExperimentRevision[] {
    return this.#all.all().map(toRevision);
  }

  /** The last revision of every experiment, in the order of their ids. */
  latest(): readonly ExperimentRevision[] {
    return this.#latest.all().map(toRevision);
  }

  /** The revisions of one experiment, oldest first; none where it is unknown. */
  of(experiment: string): readonly ExperimentRevision[] {
    return this.#of.all(experiment).map(toRevision);
  }

  insert({ experiment, who, at, what }: ExperimentRevision): void {
    this.#database
      .prepare(
        "INSERT INTO revisions (experiment, revision, who, at, what, document) VALUES (?, ?, ?, ?, ?, ?)",
      )
      .run(experiment.id, experiment.revision, who, at, what, JSON.stringify(experiment));
  }

  /** All of it or none of it. */
  transaction<T>(work: () => T): T {
    return transaction(this.#database, work);
  }
}

function toRevision(row: Row): ExperimentRevision {
  const { who, at, what, document } = row;
  if (typeof who !== "string" || typeof at !== "number" || typeof what !== "string") throw foreign();
  if (typeof document !== "string") throw foreign();
  return { experiment: JSON.parse(document) as Experiment, who, at, what };
}

function foreign(): SetlistError {
  return new SetlistError("UNAVAILABLE", "the experiment store holds a row that Setlist did not write");
}

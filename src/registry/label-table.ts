import type { DatabaseSync, SQLOutputValue } from "node:sqlite";
import type { Clock } from "../domain/clock.ts";
import { SetlistError } from "../domain/error.ts";
import type { ModelLabel, ModelLabelMove, ModelLabelStore } from "../domain/model-life.ts";
import { transaction } from "./transaction.ts";

/** A table beside the experiments' that older Setlists pass over, so the store's version stays what it is. */
const table = `
  CREATE TABLE IF NOT EXISTS model_label_moves (
    move INTEGER PRIMARY KEY, -- in the order in which they were made
    model TEXT NOT NULL,
    label TEXT NOT NULL,
    version TEXT NOT NULL,
    previous TEXT, -- NULL where the label never stood on another version
    who TEXT NOT NULL,
    at INTEGER NOT NULL -- ms since 1970, UTC
  ) STRICT;
`;

/** Every move of every label, never overwritten; the last one says where a label stands. */
export class LabelTable implements ModelLabelStore {
  readonly #database: DatabaseSync;
  readonly #clock: Clock;
  /** Where each label stands: asked for with every look at the models. */
  #standing: readonly ModelLabel[];

  constructor(database: DatabaseSync, clock: Clock) {
    database.exec(table);
    this.#database = database;
    this.#clock = clock;
    this.#standing = this.#read();
  }

  list(): readonly ModelLabel[] {
    return this.#standing;
  }

  history(name: string): readonly ModelLabelMove[] {
    return this.#database
      .prepare("SELECT * FROM model_label_moves WHERE model = ? ORDER BY move")
      .all(name)
      .map(toMove);
  }

  /** Another process of the server may have moved it already: what stands is read anew, before anyone else can write. */
  move(to: Omit<ModelLabel, "previous">, who: string): void {
    transaction(this.#database, () => {
      this.#standing = this.#read();
      this.#insert(to, who);
    });
  }

  #insert({ name, label, version }: Omit<ModelLabel, "previous">, who: string): void {
    const standing = this.#standing.find((one) => one.name === name && one.label === label);
    if (standing?.version === version) return;
    this.#database
      .prepare(
        "INSERT INTO model_label_moves (model, label, version, previous, who, at) VALUES (?, ?, ?, ?, ?, ?)",
      )
      .run(name, label, version, standing?.version ?? null, who, this.#clock.now());
    this.#standing = this.#read();
  }

  #read(): readonly ModelLabel[] {
    return this.#database
      .prepare(
        `SELECT * FROM model_label_moves
         WHERE move IN (SELECT max(move) FROM model_label_moves GROUP BY model, label) ORDER BY model, label`,
      )
      .all()
      .map(toMove)
      .map(({ name, label, version, previous }) => ({ name, label, version, previous }));
  }
}

function toMove(row: Record<string, SQLOutputValue>): ModelLabelMove {
  const { model, label, version, previous, who, at } = row;
  const texts = [model, label, version, who];
  if (texts.some((text) => typeof text !== "string") || typeof at !== "number") {
    throw new SetlistError("UNAVAILABLE", "the experiment store holds a label that Setlist did not write");
  }
  const [name, of, on, by] = texts as [string, string, string, string];
  return {
    name,
    label: of,
    version: on,
    previous: typeof previous === "string" ? previous : undefined,
    who: by,
    at,
  };
}

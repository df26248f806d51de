/**
 * What an impression says beside who was shown what: timings, task scores, attributes, candidates beyond the limit and
 * features as served. Columns of their own, none within `items`: a reader that knows that column reads it as before.
 */
import { DOUBLE, FLOAT, INTEGER, LIST, MAP, STRUCT, VARCHAR } from "@duckdb/node-api";
import type { Cell } from "../columnar/columnar.ts";
import type { Attributes } from "../domain/feature.ts";
import type { Impression } from "../domain/impression.ts";
import type { RankedItem } from "../domain/rank.ts";
import type { ServedFeatures } from "../domain/served-features.ts";

export const timings = STRUCT({
  assign: DOUBLE,
  features: DOUBLE,
  queue: DOUBLE,
  inference: DOUBLE,
  rank: DOUBLE,
});

export const attributes = MAP(VARCHAR, VARCHAR);

export const taskScores = MAP(VARCHAR, LIST(DOUBLE));

export const beyondLimit = LIST(
  STRUCT({ id: VARCHAR, position: INTEGER, score: DOUBLE, tasks: MAP(VARCHAR, DOUBLE) }),
);

export const served = LIST(
  STRUCT({
    model: VARCHAR,
    model_version: VARCHAR,
    item_rows: INTEGER,
    features: LIST(
      STRUCT({
        feature: VARCHAR,
        entity: VARCHAR,
        tensor: VARCHAR,
        encoding: VARCHAR,
        width: INTEGER,
        numbers: LIST(FLOAT),
        indices: LIST(INTEGER),
      }),
    ),
  }),
);

export function timingsCell({ timings: { assign, features, queue, inference, rank } }: Impression): Cell {
  return { assign, features, queue, inference, rank };
}

/** Every value as text: `DE`, `7.5`, `true`. */
export function attributesCell(all: Attributes | undefined): Cell {
  return all && mapCell(Object.entries(all).map(([name, value]) => [name, String(value)]));
}

/** For each task a list of one an item, in their order: NULL where the model of that item has no such task. */
export function taskScoresCell({ items }: Impression): Cell {
  const scores = new Map<string, Cell[]>();
  for (let place = 0; place < items.length; place++) {
    const { tasks } = items[place] as RankedItem;
    for (const name in tasks) {
      let list = scores.get(name);
      if (list === undefined) {
        list = new Array<Cell>(items.length).fill(null);
        scores.set(name, list);
      }
      list[place] = tasks[name];
    }
  }
  return mapCell([...scores]);
}

export function beyondLimitCell(items: readonly RankedItem[] | undefined): Cell {
  return items?.map(({ id, position, score, tasks }) => ({
    id,
    position,
    score,
    tasks: mapCell(Object.entries(tasks)),
  }));
}

export function servedCell(all: readonly ServedFeatures[] | undefined): Cell {
  return all?.map(({ model, rows, features }) => ({
    model: model.name,
    model_version: model.version,
    item_rows: rows,
    features: features.map(({ name, entity, input, encoding, width, values }) => ({
      feature: name,
      entity,
      tensor: input,
      encoding,
      width,
      ...(values instanceof Float32Array ? { numbers: values } : { indices: values }),
    })),
  }));
}

function mapCell(entries: readonly (readonly [name: string, value: Cell])[]): Cell {
  return entries.map(([key, value]) => ({ key, value }));
}

import { LRUCache } from "lru-cache";
import type { ItemLabels } from "../domain/feature-store.ts";
import { labelOf } from "../domain/item-label.ts";
import { LmdbRows } from "./lmdb-rows.ts";
import type { RowSource } from "./row-source.ts";

/** Items' values by name, over the same rows that the feature store encodes. */
export class StoredItemLabels implements ItemLabels {
  readonly #source: RowSource;
  readonly #cacheRowsMax: number;
  /** By feature and id; false where the item has none. Nobody writes to the rows while they are open. */
  readonly #known = new Map<string, LRUCache<string, string | false>>();

  /** @param cacheRowsMax labels kept in memory for each feature: about 100 bytes each. */
  constructor(source: RowSource, cacheRowsMax: number) {
    this.#source = source;
    this.#cacheRowsMax = cacheRowsMax;
  }

  /** What there are labels by, as far as the source knows. */
  features(): readonly string[] {
    return [...(this.#source.columns("item")?.keys() ?? [])].filter((name) => name !== "id");
  }

  async labels(feature: string, ids: readonly string[]): Promise<readonly (string | undefined)[]> {
    const cache = this.#cacheOf(feature);
    const labels: (string | undefined)[] = new Array(ids.length);
    const strangers: number[] = [];
    for (let place = 0; place < ids.length; place++) {
      const known = cache.get(ids[place] as string);
      if (known === undefined) strangers.push(place);
      else if (known !== false) labels[place] = known;
    }
    if (strangers.length === 0) return labels;
    const rows = await this.#source.read(
      "item",
      strangers.map((place) => ids[place] as string),
    );
    for (const [index, place] of strangers.entries()) {
      const label = labelOf(rows[index]?.[feature]);
      labels[place] = label;
      cache.set(ids[place] as string, label ?? false);
    }
    return labels;
  }

  close(): Promise<void> {
    return this.#source.close();
  }

  /** Features come from value models, never from requests: they are few. */
  #cacheOf(feature: string): LRUCache<string, string | false> {
    let cache = this.#known.get(feature);
    if (cache === undefined) {
      cache = new LRUCache({ max: Math.max(1, this.#cacheRowsMax) });
      this.#known.set(feature, cache);
    }
    return cache;
  }
}

/** A second reader of a file of imported rows: it is memory-mapped, so that this costs nothing more. */
export function openItemLabels(path: string, cacheRowsMax: number): StoredItemLabels {
  return new StoredItemLabels(new LmdbRows(path), cacheRowsMax);
}

/** What the analysis folds of the events of a quantile in SQL, folded here. */
import type { QuantileBucket, QuantileSums } from "../../src/statistics/quantile.ts";
import { bucketOf } from "../../src/statistics/value-buckets.ts";

export const noQuantileSums: QuantileSums = { units: 0, events: 0, eventsSquared: 0, buckets: [] };

/**
 * One pass over units, each with all its events: those of a unit must come together, as its value of a mean must. A unit
 * without events counts as one. The same sums come of any grouping of (unit, bucket, events), in SQL for instance.
 */
export function quantileSumsOf(units: Iterable<readonly number[]>): QuantileSums {
  const sums = { units: 0, events: 0, eventsSquared: 0 };
  const buckets = new Map<number, Growth>();
  for (const events of units) {
    sums.units += 1;
    sums.events += events.length;
    sums.eventsSquared += events.length ** 2;
    let below = 0;
    for (const bucket of events.map(bucketOf).sort((a, b) => a - b)) {
      const growth = growthOf(buckets, bucket);
      growth.events += 1;
      // Of the square, from `below` to one more.
      growth.squares += 2 * below + 1;
      growth.products += events.length;
      below += 1;
    }
  }
  return { ...sums, buckets: ascending(buckets) };
}

/** The sums of both sets of units together. */
export function mergeQuantileSums(a: QuantileSums, b: QuantileSums): QuantileSums {
  const buckets = new Map<number, Growth>();
  for (const one of [...a.buckets, ...b.buckets]) {
    const growth = growthOf(buckets, one.bucket);
    growth.events += one.events;
    growth.squares += one.squares;
    growth.products += one.products;
  }
  return {
    units: a.units + b.units,
    events: a.events + b.events,
    eventsSquared: a.eventsSquared + b.eventsSquared,
    buckets: ascending(buckets),
  };
}

type Growth = { -readonly [key in "events" | "squares" | "products"]: QuantileBucket[key] };

function growthOf(buckets: Map<number, Growth>, bucket: number): Growth {
  let growth = buckets.get(bucket);
  if (growth === undefined) {
    growth = { events: 0, squares: 0, products: 0 };
    buckets.set(bucket, growth);
  }
  return growth;
}

function ascending(buckets: ReadonlyMap<number, Growth>): QuantileBucket[] {
  return [...buckets]
    .map(([bucket, growth]) => ({ bucket, ...growth }))
    .sort((one, other) => one.bucket - other.bucket);
}

/**
 * Counters and histograms for what every request does: one more is an addition in an array. prom-client's own build and
 * hash the labels with each observation, which was 9 of the 63 us that a rank request of ten candidates took of the
 * answering thread; these are put into its words only when the metrics are read.
 */
import { Counter, type Histogram, type Registry } from "prom-client";

interface Described<Label extends string> {
  readonly name: string;
  readonly help: string;
  readonly labelNames: readonly Label[];
  readonly registry: Registry;
}

/** Counts by the values of its labels, in the order of `labelNames`. */
export function tallyCounter<Label extends string>({
  name,
  help,
  labelNames,
  registry,
}: Described<Label>): (amount: number, ...values: readonly string[]) => void {
  const series = new SeriesByLabels(labelNames, () => ({ count: 0 }));
  new Counter<string>({
    name,
    help,
    labelNames,
    registers: [registry],
    collect() {
      this.reset();
      for (const [labels, { count }] of series.all()) this.inc(labels, count);
    },
  });
  return (amount, ...values) => {
    series.of(values).count += amount;
  };
}

/** Observes by the values of its labels, in the order of `labelNames`. @param buckets upper bounds, ascending. */
export function tallyHistogram<Label extends string>({
  name,
  help,
  labelNames,
  registry,
  buckets,
}: Described<Label> & { readonly buckets: readonly number[] }): (
  value: number,
  ...values: readonly string[]
) => void {
  const series = new SeriesByLabels(labelNames, () => ({
    sum: 0,
    counts: new Float64Array(buckets.length + 1),
  }));
  const get = async () => ({
    name,
    help,
    type: "histogram",
    aggregator: "sum",
    values: [...series.all()].flatMap(([labels, { sum, counts }]) =>
      exported(name, labels, buckets, counts, sum),
    ),
  });
  // A registry asks a metric for no more than its name and `get`.
  registry.registerMetric({ name, labelNames, get } as unknown as Histogram);
  return (value, ...values) => {
    const one = series.of(values);
    const { counts } = one;
    let place = 0;
    while (place < buckets.length && value > (buckets[place] as number)) place++;
    counts[place] = (counts[place] as number) + 1;
    one.sum += value;
  };
}

/** One state for each combination of labels that was met. */
class SeriesByLabels<State> {
  readonly #labelNames: readonly string[];
  readonly #make: () => State;
  readonly #root = new Map<string, unknown>();
  readonly #all: (readonly [labels: Record<string, string>, state: State])[] = [];

  constructor(labelNames: readonly string[], make: () => State) {
    this.#labelNames = labelNames;
    this.#make = make;
  }

  /** A map in a map for each label: joining them to one key would make and hash a string each time. */
  of(values: readonly string[]): State {
    const last = values.length - 1;
    let level = this.#root;
    for (let at = 0; at < last; at++) {
      let next = level.get(values[at] as string) as Map<string, unknown> | undefined;
      if (next === undefined) {
        next = new Map();
        level.set(values[at] as string, next);
      }
      level = next;
    }
    const key = values[last] ?? "";
    const known = level.get(key) as State | undefined;
    if (known !== undefined) return known;
    const made = this.#make();
    level.set(key, made);
    this.#all.push([Object.fromEntries(this.#labelNames.map((name, at) => [name, values[at] ?? ""])), made]);
    return made;
  }

  all(): readonly (readonly [labels: Record<string, string>, state: State])[] {
    return this.#all;
  }
}

interface ExportedValue {
  readonly metricName: string;
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
}

/** A histogram's series as the exposition format has it: cumulative buckets, `+Inf`, the sum and the count. */
function exported(
  name: string,
  labels: Record<string, string>,
  buckets: readonly number[],
  counts: Float64Array,
  sum: number,
): readonly ExportedValue[] {
  let count = 0;
  const values = [...buckets, "+Inf"].map((le, place) => {
    count += counts[place] as number;
    return { metricName: `${name}_bucket`, labels: { le, ...labels }, value: count };
  });
  return [
    ...values,
    { metricName: `${name}_sum`, labels, value: sum },
    { metricName: `${name}_count`, labels, value: count },
  ];
}

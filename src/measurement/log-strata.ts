import type { ResultRow } from "./engine.ts";
import { latencyEdgesMs } from "./log-exposures.ts";
import type { Strata, StratumUnits } from "./measured.ts";

/** Units by each stratum of their first request. */
export function strataIn(rows: readonly ResultRow[], arms: number): Strata {
  const by = (nameOf: (row: ResultRow) => string | undefined): StratumUnits[] => {
    const strata = new Map<string, number[]>();
    for (const row of rows) {
      const name = nameOf(row);
      if (name === undefined) continue;
      const units = strata.get(name) ?? new Array<number>(arms).fill(0);
      const arm = Number(row["arm"]);
      units[arm] = (units[arm] ?? 0) + Number(row["units"]);
      strata.set(name, units);
    }
    return [...strata]
      .map(([name, units]) => ({ name, units }))
      .sort((a, b) => (a.name < b.name ? -1 : Number(a.name > b.name)));
  };
  const text = (value: ResultRow[string]): string | undefined =>
    value === null || value === undefined ? undefined : String(value);
  return {
    days: by((row) => text(row["day"])),
    surfaces: by((row) => text(row["surface"])),
    latencies: by((row) => {
      const place = text(row["latency"]);
      return place === undefined ? undefined : latencyName(Number(place));
    }),
  };
}

function latencyName(place: number): string {
  const edge = latencyEdgesMs[place];
  return edge === undefined ? `from ${latencyEdgesMs.at(-1)} ms` : `below ${edge} ms`;
}

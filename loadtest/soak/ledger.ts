/** Counts by name, as the load keeps them of what the server answered it. */
export interface Ledger {
  add(name: string, count?: number): void;
  /** In the order of their names. */
  counts(): ReadonlyMap<string, number>;
}

export function createLedger(): Ledger {
  const counts = new Map<string, number>();
  return {
    add(name, count = 1) {
      counts.set(name, (counts.get(name) ?? 0) + count);
    },
    counts: () => new Map([...counts].sort(([one], [other]) => (one < other ? -1 : 1))),
  };
}

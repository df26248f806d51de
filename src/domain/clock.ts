/** Time. `now` is ms since 1970, UTC; `monotonic` is ms from an arbitrary start and never goes back. */
export interface Clock {
  now(): number;
  monotonic(): number;
}

/** Uniform in [0, 1), seeded where a run has to repeat itself. */
export interface Random {
  next(): number;
}

/** Where the skeleton server's runs go: nothing is inferred, but for as long as it takes. */

export interface SkeletonRun {
  readonly rows: Int32Array;
  readonly users: Float32Array;
  readonly tasks: number;
  /** Milliseconds that it is to be busy. */
  readonly spinMs: number;
}

export interface SkeletonReply {
  /** `[rows, tasks]`, row-major. */
  readonly probabilities: Float32Array;
}

process.on("disconnect", () => process.exit());
process.on("message", ({ rows, tasks, spinMs }: SkeletonRun) => {
  const endAt = performance.now() + spinMs;
  while (performance.now() < endAt);
  process.send?.({ probabilities: new Float32Array(rows.length * tasks).fill(0.3) } satisfies SkeletonReply);
});

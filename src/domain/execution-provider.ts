/** Where ONNX Runtime can run a model on this platform's package; `cpu` always can. */
export const executionProviders = ["cpu", "webgpu", "cuda", "tensorrt"] as const;

export type ExecutionProvider = (typeof executionProviders)[number];

/** On what a loaded model runs: what was asked for, what could be had, and what ONNX Runtime did with it. */
export interface ModelExecution {
  /** As the configuration lists them, most wanted first. */
  readonly configured: readonly ExecutionProvider[];
  /** The one that runs most of the model's operators, as seen in its first runs. */
  readonly provider: ExecutionProvider;
  /**
   * Operators of all the model's graphs by the provider that ran them; undefined where the sessions have no provider but
   * the CPU's, so that nothing else can run any.
   */
  readonly operators: Readonly<Partial<Record<ExecutionProvider, number>>> | undefined;
}

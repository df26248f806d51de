import type { ExecutionProvider, ModelExecution } from "../domain/execution-provider.ts";
import type { ModelVersion } from "../domain/model.ts";
import type { ChosenProviders } from "./provider-choice.ts";
import type { OperatorCounts } from "./traced-session.ts";

/** On what each loaded model runs, as the worker that loaded it last has seen. */
export class ModelExecutions {
  readonly #onWarning: (warning: string) => void;
  readonly #known = new Map<string, ModelExecution>();

  constructor(onWarning: (warning: string) => void) {
    this.#onWarning = onWarning;
  }

  of({ name, version }: ModelVersion): ModelExecution | undefined {
    return this.#known.get(`${name}/${version}`);
  }

  forget({ name, version }: ModelVersion): void {
    this.#known.delete(`${name}/${version}`);
  }

  /** @param operators undefined where the model was loaded for the CPU alone. */
  note(
    { name, version }: ModelVersion,
    { configured, usable }: ChosenProviders,
    operators: OperatorCounts | undefined,
  ): void {
    const provider = operators === undefined ? "cpu" : busiest(operators);
    this.#known.set(`${name}/${version}`, { configured, provider, operators });
    const [wanted = "cpu"] = usable;
    if (operators === undefined || (operators[wanted] ?? 0) > 0) return;
    this.#onWarning(
      `model ${name}/${version}: ${wanted} loads but ran none of its operators; ${Object.keys(operators).join(" and ")} did`,
    );
  }
}

function busiest(operators: OperatorCounts): ExecutionProvider {
  const counted = Object.entries(operators) as [ExecutionProvider, number][];
  return counted.reduce((most, one) => (one[1] > most[1] ? one : most), ["cpu", 0])[0];
}

import { OFREPProvider } from "@openfeature/ofrep-provider";
import type { EvaluationContext, TrackingEventDetails } from "@openfeature/server-sdk";

/** OpenFeature's own provider, and beside it what its `track` lacks: docs/openfeature.md has it for applications. */
export class SetlistProvider extends OFREPProvider {
  readonly #baseUrl: string;
  /** What was sent and not answered yet. */
  #sending: Promise<unknown> = Promise.resolve();

  constructor(baseUrl: string) {
    super({ baseUrl });
    this.#baseUrl = baseUrl;
  }

  track(name: string, context: EvaluationContext, details: TrackingEventDetails): void {
    const events = [{ outcomeId: crypto.randomUUID(), name, context, details }];
    const sent = fetch(`${this.#baseUrl}/ofrep/v1/track`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ events }),
    });
    this.#sending = Promise.all([this.#sending, sent]);
  }

  /** Resolves once everything that was tracked is on the server's disk. */
  async flush(): Promise<void> {
    await this.#sending;
  }

  onClose(): Promise<void> {
    return this.flush();
  }
}

import { type ErrorCode, SetlistError } from "../domain/error.ts";

/** One end of Node's channel between a process and its child: a `ChildProcess`, or `process` itself in the child. */
export interface Endpoint {
  send?(message: object, callback: (error: Error | null) => void): unknown;
  on(event: "message", listener: (message: unknown) => void): unknown;
  on(event: "disconnect", listener: () => void): unknown;
}

/** What one side answers to, whatever it takes; parameters and answers are copied on the way (structured clone). */
type Method = (...parameters: never[]) => Promise<unknown>;
type Methods = Readonly<Record<string, Method>>;

/** An error as it goes over the channel; without a code the message is a trace, for the log. */
interface ToldError {
  readonly code: ErrorCode | undefined;
  readonly message: string;
  readonly retryAfterSeconds: number | undefined;
}

type Message =
  | { readonly ask: number; readonly name: string; readonly parameters: readonly unknown[] }
  | { readonly answer: number; readonly value: unknown }
  | { readonly answer: number; readonly error: ToldError };

/** The other side ended before it answered; what it threw itself never comes as this. */
export class EndedError extends SetlistError {
  constructor() {
    super("UNAVAILABLE", "the process that was asked has ended", { retryAfterSeconds: 1 });
  }
}

/** Questions and answers between two processes, in both directions at once. */
export class Calls<Theirs extends { readonly [Name in keyof Theirs]: Method }> {
  readonly #endpoint: Endpoint;
  readonly #waiting = new Map<number, PromiseWithResolvers<unknown>>();
  #asked = 0;
  #over = false;

  constructor(endpoint: Endpoint, mine: Methods) {
    this.#endpoint = endpoint;
    endpoint.on("message", (message) => void this.#take(message as Message, mine));
    endpoint.on("disconnect", () => this.#end());
  }

  /**
   * @throws {SetlistError} what the other side threw; an `EndedError` where it ends before it answers.
   * @throws {Error} where the other side threw anything else.
   */
  ask<Name extends keyof Theirs & string>(
    name: Name,
    ...parameters: Parameters<Theirs[Name]>
  ): ReturnType<Theirs[Name]> {
    const answer = Promise.withResolvers<unknown>();
    if (this.#over) answer.reject(new EndedError());
    else {
      const ask = this.#asked++;
      this.#waiting.set(ask, answer);
      this.#send({ ask, name, parameters });
    }
    return answer.promise as ReturnType<Theirs[Name]>;
  }

  async #take(message: Message, mine: Methods): Promise<void> {
    if ("ask" in message) {
      const { ask: answer, name, parameters } = message;
      try {
        const method = mine[name];
        if (method === undefined) throw new Error(`no method ${name}`);
        this.#send({ answer, value: await method(...(parameters as never[])) });
      } catch (error) {
        this.#send({ answer, error: toldOf(error) });
      }
      return;
    }
    const waiting = this.#waiting.get(message.answer);
    this.#waiting.delete(message.answer);
    if ("error" in message) waiting?.reject(errorOf(message.error));
    else waiting?.resolve(message.value);
  }

  /** What cannot be sent any more nobody waits for: the disconnection tells. */
  #send(message: Message): void {
    if (!this.#over) this.#endpoint.send?.(message, () => undefined);
  }

  #end(): void {
    this.#over = true;
    for (const { reject } of this.#waiting.values()) reject(new EndedError());
    this.#waiting.clear();
  }
}

function toldOf(error: unknown): ToldError {
  if (!(error instanceof SetlistError)) {
    const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return { code: undefined, message, retryAfterSeconds: undefined };
  }
  const { code, message, retryAfterSeconds } = error;
  return { code, message, retryAfterSeconds };
}

function errorOf({ code, message, retryAfterSeconds }: ToldError): Error {
  if (code === undefined) return new Error(message);
  return new SetlistError(code, message, retryAfterSeconds === undefined ? {} : { retryAfterSeconds });
}

import { messageOf, SetlistError } from "../domain/error.ts";
import type { ModelCommand } from "./model-command.ts";
import { EndedError } from "./calls.ts";

type Follow = (command: ModelCommand) => Promise<void>;

const replayOrder: readonly ModelCommand["kind"][] = ["load", "label", "unload"];

/**
 * Has every process carry out what one was asked to do with its models, one command after the other, and tells those
 * that come later what they missed.
 */
export class ModelCommands {
  readonly #followers = new Map<number, Follow>();
  /** Numbers of processes that have ended: one may end while it waits for its turn to join. */
  readonly #gone = new Set<number>();
  /** The last of each version and of each label. */
  readonly #given = new Map<string, ModelCommand>();
  readonly #onWarning: (message: string, fields: Record<string, unknown>) => void;
  #queue: Promise<unknown> = Promise.resolve();

  constructor(onWarning: (message: string, fields: Record<string, unknown>) => void) {
    this.#onWarning = onWarning;
  }

  /** Carries out what was asked for until now; what is asked for later comes to this process too. */
  join(process: number, follow: Follow): Promise<void> {
    return this.#inTurn(async () => {
      // A label stands on what is loaded, and what a label stands on is not unloaded.
      const missed = replayOrder.flatMap((kind) =>
        [...this.#given.values()].filter((one) => one.kind === kind),
      );
      for (const command of missed) {
        if (this.#gone.has(process)) return;
        await follow(command).catch((error: unknown) => {
          if (error instanceof EndedError) return;
          // What its policy did not load need not be unloaded.
          if (command.kind === "unload" && codeOf(error) === "NOT_FOUND") return;
          this.#onWarning("a new process does not follow a change of models", {
            process,
            error: String(error),
          });
        });
      }
      if (!this.#gone.has(process)) this.#followers.set(process, follow);
    });
  }

  leave(process: number): void {
    this.#gone.add(process);
    this.#followers.delete(process);
  }

  /**
   * The process that was asked goes first: what it refuses nobody does.
   * @throws {SetlistError} its refusal; UNAVAILABLE where others do not do as it did, naming them and why.
   */
  give(process: number, command: ModelCommand): Promise<void> {
    return this.#inTurn(async () => {
      const asked = this.#followers.get(process);
      if (asked === undefined) throw new SetlistError("UNAVAILABLE", "the server is starting or stopping");
      await asked(command);
      this.#given.set(keyOf(command), command);
      const others = [...this.#followers].filter(([number]) => number !== process);
      const refusals = await Promise.all(
        others.map(async ([number, follow]) => {
          const error = await follow(command).then(
            () => undefined,
            (thrown: unknown) => thrown,
          );
          // One that has ended is replaced by one that is told.
          const isDone = error === undefined || error instanceof EndedError;
          return isDone ? [] : [`process ${number} does not: ${messageOf(error)}`];
        }),
      );
      if (refusals.flat().length === 0) return;
      throw new SetlistError(
        "UNAVAILABLE",
        `done in process ${process}, but ${refusals.flat().join("; ")}; processes answer differently until it is asked for again`,
      );
    });
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    const turn = this.#queue.then(work);
    this.#queue = turn.catch(() => undefined);
    return turn;
  }
}

function keyOf(command: ModelCommand): string {
  if (command.kind === "label") return `label ${command.label.name}/${command.label.label}`;
  return `version ${command.version.name}/${command.version.version}`;
}

function codeOf(error: unknown): string | undefined {
  return error instanceof SetlistError ? error.code : undefined;
}

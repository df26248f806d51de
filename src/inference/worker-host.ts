import { FilledSlots } from "./filled-slots.ts";
import type { LoadedModel } from "./loaded-models.ts";
import { type SpawnWorker, WorkerThread } from "./worker-thread.ts";

/** One thread and what it holds: the models at some places, and of each the rows that its slab has. */
export class WorkerHost {
  readonly places = new Set<number>();
  thread: WorkerThread;
  /** Runs that were sent to it and are not answered yet. */
  running = 0;
  /** Deaths and failed restarts since the last run that went well. */
  failures = 0;
  /** Its thread died and is being replaced. */
  isDown = false;
  readonly #spawn: SpawnWorker;
  #filled = new Map<number, FilledSlots>();

  constructor(spawn: SpawnWorker) {
    this.#spawn = spawn;
    this.thread = new WorkerThread(spawn);
  }

  /** What its slab holds for a model. */
  filledOf({ place, model }: LoadedModel): FilledSlots {
    let filled = this.#filled.get(place);
    if (filled === undefined) {
      filled = new FilledSlots(model.inputs);
      this.#filled.set(place, filled);
    }
    return filled;
  }

  /** The model is gone from the thread. */
  remove(place: number): void {
    this.places.delete(place);
    this.#filled.delete(place);
  }

  /** A thread that holds nothing yet, in place of the dead one. */
  replaceThread(): void {
    this.thread = new WorkerThread(this.#spawn);
    this.running = 0;
    this.#filled = new Map();
  }
}

import { FilledSlots } from "./filled-slots.ts";
import type { LoadedModel } from "./loaded-models.ts";
import { RemoteWorker } from "./remote-worker.ts";
import type { SpawnWorker } from "./worker-link.ts";

/** A worker's thread or process and what it holds: the models at some places, and of each the rows that its slab has. */
export class WorkerHost {
  readonly places = new Set<number>();
  worker: RemoteWorker;
  /** Runs that were sent to it and are not answered yet. */
  running = 0;
  /** Deaths and failed restarts since the last run that went well. */
  failures = 0;
  /** It died and is being replaced. */
  isDown = false;
  readonly #spawn: SpawnWorker;
  #filled = new Map<number, FilledSlots>();

  constructor(spawn: SpawnWorker) {
    this.#spawn = spawn;
    this.worker = new RemoteWorker(spawn);
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

  /** The model is gone from the worker. */
  remove(place: number): void {
    this.places.delete(place);
    this.#filled.delete(place);
  }

  /** A worker that holds nothing yet, in place of the dead one. */
  replaceWorker(): void {
    this.worker = new RemoteWorker(this.#spawn);
    this.running = 0;
    this.#filled = new Map();
  }
}

import type { Experiment } from "../domain/experiment.ts";
import type { KillSwitch } from "../domain/store-state.ts";
import type { RevisionNote } from "./experiment-view.ts";
import type { ExperimentWrites } from "./experiment-writes.ts";
import type { SurfaceView } from "./surface-view.ts";

/** Where a command finds experiments, and changes them: a running server, or a data directory. */
export interface ExperimentPlace
  extends Pick<
    ExperimentWrites,
    "create" | "replace" | "move" | "ship" | "kill" | "revive" | "import" | "killSwitch"
  > {
  list(): Promise<readonly Experiment[]>;
  /** Why what is listed may not be what is served, in a sentence; undefined where it is. */
  doubt(): Promise<string | undefined>;
  /** @throws {SetlistError} NOT_FOUND with the nearest id that there is. */
  get(id: string): Promise<Experiment>;
  history(id: string): Promise<readonly (RevisionNote & { readonly experiment: Experiment })[]>;
  /** @throws {UsageError} where no server is there to look after experiments. */
  surfaces(): Promise<readonly SurfaceView[]>;
  readSwitch(): Promise<KillSwitch>;
  restore(
    surface: string,
    revision: number,
    by: Parameters<ExperimentWrites["restore"]>[2],
  ): Promise<Pick<Awaited<ReturnType<ExperimentWrites["restore"]>>, "change">>;
  close(): Promise<void>;
}

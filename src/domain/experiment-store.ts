import type { Experiment } from "./experiment.ts";
import type {
  KillSwitch,
  Revision,
  Staleness,
  StoreChange,
  StoreState,
  SurfaceDefault,
} from "./store-state.ts";

/**
 * Where experiments are kept, with every revision. What stands is held in memory, so that nobody who answers requests
 * waits for a store: it is at most a second behind what others wrote, and where the store cannot be asked the last that
 * was read stays, marked stale.
 */
export interface ExperimentStore {
  /** What stands, by reference: another object exactly where something changed. */
  current(): StoreState;
  /** The experiments of `current`. */
  list(): readonly Experiment[];
  get(id: string): Experiment | undefined;
  /**
   * Looks at what really stands, for whoever has to see what somebody else wrote a moment ago; `current` says it too
   * then. Where the store cannot be asked that is the last that was read, and `stale` says why.
   */
  refresh(): Promise<StoreState>;
  /** Undefined where `current` is no older than it may be. */
  stale(): Staleness | undefined;
  /**
   * Calls `listener` with every later `current`, whoever wrote it, once it is in place; several writes may come as one.
   * @returns ends that.
   */
  onChange(listener: (state: StoreState) => void): () => void;
  /**
   * The one way in which anything is written. Calls `change` with what really stands, nobody else writing meanwhile, and
   * keeps what it answers: all of it or none. `change` is pure and may be called again; what it throws is thrown, and
   * nothing is kept then. A change that holds nothing writes nothing.
   * @param who for the history.
   * @returns what stands afterwards: `current` says it too by then, and listeners here have heard of it.
   * @throws {SetlistError} ABORTED where a document is not one revision above what stands; UNAVAILABLE where the store
   *   cannot be written now.
   */
  write(who: string, change: (standing: StoreState) => StoreChange): Promise<StoreState>;
  /** Every revision of one experiment, oldest first; none where it is unknown. @throws {SetlistError} UNAVAILABLE. */
  history(id: string): Promise<readonly Revision<Experiment>[]>;
  /** The same of a surface's default. */
  surfaceHistory(surface: string): Promise<readonly Revision<SurfaceDefault>[]>;
  /** The same of the kill switch. */
  killSwitchHistory(): Promise<readonly Revision<KillSwitch>[]>;
  close(): Promise<void>;
}

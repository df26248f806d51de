import type { Assignment, KeptArm } from "./assignment.ts";

/** The arms that units of sticky experiments were shown first. */
export interface StickyArms {
  /** Quick, and never throws: what cannot be read was not kept. */
  get(experiment: string, unit: string): KeptArm | undefined;
  /** From now on `get` answers with it; on the disk a little later. */
  keep(assignment: Assignment): void;
  close(): Promise<void>;
}

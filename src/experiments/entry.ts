import type { Assignment, ClosedGate } from "../domain/assignment.ts";

/** An assignment for whichever unit gets it. */
export type Entry = Omit<Assignment, "unit">;

/** A gate that one experiment has; the surface is asked for before. */
export type Gate = Exclude<ClosedGate, "surface">;

/** The arm that a unit gets, or the first gate that kept it out. */
export type Ruling = Entry | Gate;

export function assignmentOf(entry: Entry, unit: string): Assignment {
  const { experiment, arm, layer, phase, propensity, overridden } = entry;
  return { experiment, arm, layer, phase, unit, propensity, overridden };
}

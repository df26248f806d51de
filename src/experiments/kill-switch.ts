import { SetlistError } from "../domain/error.ts";
import type { Experiment } from "../domain/experiment.ts";
import type { StoreChange, StoreState } from "../domain/store-state.ts";

/** The experiments as they are to be served: all of them killed while the kill switch is on. */
export function underKillSwitch({ experiments, killSwitch }: StoreState): readonly Experiment[] {
  if (!killSwitch.on) return experiments;
  return experiments.map((one) => ({ ...one, killed: `kill switch: ${killSwitch.reason}` }));
}

/**
 * The kill switch, on or off.
 * @param revision not looked at where undefined: an emergency must not lose against another write.
 * @throws {SetlistError} ABORTED where the revision is stale.
 */
export function switched(
  { killSwitch }: StoreState,
  to: { readonly on: boolean; readonly reason: string; readonly revision: number | undefined },
): StoreChange {
  const { on, reason } = to;
  if (to.revision !== undefined && to.revision !== killSwitch.revision) {
    throw new SetlistError(
      "ABORTED",
      `revision: the kill switch stands at revision ${killSwitch.revision}, and ${to.revision} was read: read it again`,
    );
  }
  if (killSwitch.on === on && (killSwitch.reason === reason || !on)) return {};
  const position = on ? "on" : "off";
  return {
    killSwitch: {
      document: { on, reason, revision: killSwitch.revision + 1 },
      what: reason === "" ? position : `${position}: ${reason}`,
    },
  };
}

import { invalidArgument, SetlistError } from "../domain/error.ts";
import type { StoreChange, StoreState } from "../domain/store-state.ts";

/**
 * The configuration's default, in place of what was shipped.
 * @param revision the surface's that was read.
 * @throws {SetlistError} INVALID_ARGUMENT where nothing is shipped; ABORTED where the revision is stale.
 */
export function restored(state: StoreState, surface: string, revision: number): StoreChange {
  const standing = state.surfaces.find((one) => one.surface === surface);
  const stands = standing?.revision ?? 0;
  if (stands !== revision) {
    throw new SetlistError(
      "ABORTED",
      `revision: surface ${surface} stands at revision ${stands}, and ${revision} was read: read it again`,
    );
  }
  if (standing?.shipped === undefined) {
    throw invalidArgument(`surface: nothing is shipped to ${surface}: it serves the configuration's default`);
  }
  const document = { surface, revision: revision + 1 };
  return { surfaces: [{ document, what: "the configuration's default restored" }] };
}

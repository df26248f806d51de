import { createHash } from "node:crypto";
import { canonicalJson } from "../domain/canonical-json.ts";
import type { StoreState } from "../domain/store-state.ts";

/** SHA-256 of the whole state as canonical JSON, in hex: equal where, and only where, everything is. */
export function stateHash(state: StoreState): string {
  return createHash("sha256").update(canonicalJson(state)).digest("hex");
}

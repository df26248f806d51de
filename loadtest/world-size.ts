import { readFileSync } from "node:fs";
import { join } from "node:path";

const repository = join(import.meta.dirname, "..");

/** How many listeners and tracks the committed world has: ids reach from u1 and t1 to these. */
export function worldSize(): { readonly listeners: number; readonly tracks: number } {
  const { counts } = JSON.parse(readFileSync(join(repository, "models/world/world.json"), "utf8")) as {
    counts: { users: number; items: number };
  };
  return { listeners: counts.users, tracks: counts.items };
}

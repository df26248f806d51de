import { vi } from "vitest";

/** As long as a busy machine may take; nobody waits longer than it takes. */
const patienceMs = 180_000;

/** Waits until `check` no longer throws. @returns what it answers. @throws {unknown} what it threw last. */
export function eventually<T>(check: () => T | Promise<T>): Promise<T> {
  return vi.waitFor(check, { timeout: patienceMs, interval: 10 });
}

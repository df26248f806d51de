import { setTimeout as sleep } from "node:timers/promises";
import { vi } from "vitest";

/** As long as a busy machine may take; nobody waits longer than it takes. */
const patienceMs = 180_000;

/** Waits until `check` no longer throws. @returns what it answers. @throws {unknown} what it threw last. */
export function eventually<T>(check: () => T | Promise<T>): Promise<T> {
  return vi.waitFor(check, { timeout: patienceMs, interval: 10 });
}

/** What `look` finds, looked for until the test is out of time. */
export async function until<T>(look: () => T | Promise<T>): Promise<NonNullable<T>> {
  for (;;) {
    const found = await look();
    if (found) return found;
    await sleep(20);
  }
}

import type { Clock } from "../domain/clock.ts";

const intervalMs = 60_000;

/**
 * Lets one line a minute through for each key and tells it how many it held back before: a fault that meets every
 * request has to be seen, and must not fill the disk that may be the fault.
 */
export function nowAndThen(clock: Clock): (key: string, write: (heldBack: number) => void) => void {
  const last = new Map<string, { at: number; heldBack: number }>();
  return (key, write) => {
    const known = last.get(key);
    const now = clock.monotonic();
    if (known !== undefined && now - known.at < intervalMs) {
      known.heldBack += 1;
      return;
    }
    last.set(key, { at: now, heldBack: 0 });
    write(known?.heldBack ?? 0);
  };
}

import { existsSync } from "node:fs";
import { join } from "node:path";
import { open, type RootDatabase } from "lmdb";
import type { Assignment, KeptArm } from "../domain/assignment.ts";
import type { StickyArms } from "../domain/sticky-arms.ts";

const fileName = "sticky.lmdb";

/** LMDB's keys hold 1,978 bytes, of which the experiment's id and the separator take at most 65. */
const unitBytesMax = 1_900;

type Row = readonly [arm: string, phase: number, propensity: number];

/** True where arms were ever kept in the data directory. */
export function hasStickyArms(dataDir: string): boolean {
  return existsSync(join(dataDir, fileName));
}

/**
 * The arms that units of sticky experiments were shown, in one memory-mapped file of the data directory. Reading takes
 * 2 us of the answering thread; writes are gathered and made by LMDB's own thread, and what waits for it is found as well.
 * Several processes may have it open.
 * @param onFailure is told what the disk refuses; the unit is then dealt its arm anew next time.
 */
export class StickyArmsFile implements StickyArms {
  readonly #database: RootDatabase<Row, string>;
  readonly #waiting = new Map<string, Row>();
  readonly #onFailure: (error: unknown) => void;
  #closed = false;

  constructor(dataDir: string, readOnly: boolean, onFailure: (error: unknown) => void) {
    this.#database = open<Row, string>({ path: join(dataDir, fileName), noSubdir: true, readOnly });
    this.#onFailure = onFailure;
  }

  get(experiment: string, unit: string): KeptArm | undefined {
    const key = keyOf(experiment, unit);
    if (key === undefined || this.#closed) return undefined;
    try {
      const row = this.#waiting.get(key) ?? this.#database.get(key);
      if (row === undefined) return undefined;
      const [arm, phase, propensity] = row;
      return { arm, phase, propensity };
    } catch (error) {
      this.#onFailure(error);
      return undefined;
    }
  }

  keep({ experiment, unit, arm, phase, propensity }: Assignment): void {
    const key = keyOf(experiment, unit);
    if (key === undefined || this.#closed) return;
    const kept = this.get(experiment, unit);
    if (kept?.arm === arm && kept.phase === phase) return;
    const row: Row = [arm, phase, propensity];
    this.#waiting.set(key, row);
    void this.#write(key, row);
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#database.flushed;
    await this.#database.close();
  }

  async #write(key: string, row: Row): Promise<void> {
    try {
      await this.#database.put(key, row);
    } catch (error) {
      this.#onFailure(error);
    }
    if (this.#waiting.get(key) === row) this.#waiting.delete(key);
  }
}

/** Undefined for a unit that is too long to be a key: it is dealt its arm anew each time. */
function keyOf(experiment: string, unit: string): string | undefined {
  const fits = unit.length * 3 <= unitBytesMax || Buffer.byteLength(unit) <= unitBytesMax;
  return fits ? `${experiment}:${unit}` : undefined;
}

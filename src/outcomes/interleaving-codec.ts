import type { InterleavedArm, Interleaving, Slot } from "../domain/interleaving.ts";
import type { RecordReader } from "./record-reader.ts";
import type { RecordWriter } from "./record-writer.ts";

/** The low bits of a slot: whose it is. None is 3, so that no record has 512 zeros in a row, which a lost sector has. */
const teams = { first: 1, second: 2, none: 3 };
const competitive = 4;

/** docs/outcome-log-format.md has the layout. */
export function writeInterleaving(to: RecordWriter, { id, arms, slots }: Interleaving): void {
  to.string(id);
  for (const { arm, model } of arms) {
    to.string(arm);
    to.string(model.name);
    to.string(model.version);
  }
  const [first, second] = arms;
  for (const slot of slots) {
    const team = slot.team === first.arm ? teams.first : slot.team === second.arm ? teams.second : teams.none;
    to.uint8(team | (slot.competitive ? competitive : 0));
  }
}

/** @param itemCount how many slots there are. @throws {RangeError} where the payload is shorter than it says. */
export function readInterleaving(from: RecordReader, itemCount: number): Interleaving {
  const id = from.string();
  const arms = [readArm(from), readArm(from)] as const;
  const names = [undefined, arms[0].arm, arms[1].arm, undefined];
  const slots: Slot[] = [];
  for (let left = itemCount; left > 0; left--) {
    const slot = from.uint8();
    slots.push({ team: names[slot & 3], competitive: (slot & competitive) !== 0 });
  }
  return { id, arms, slots };
}

function readArm(from: RecordReader): InterleavedArm {
  return { arm: from.string(), model: { name: from.string(), version: from.string() } };
}

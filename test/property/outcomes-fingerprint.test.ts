import fc from "fast-check";
import { expect, test } from "vitest";
import { fingerprint } from "../../src/outcomes/fingerprint.ts";
import { type Fingerprint, FingerprintSet } from "../../src/outcomes/fingerprint-set.ts";
import { IdTable } from "../../src/outcomes/id-table.ts";

function hex(text: string, seed: number): string {
  const bytes = Buffer.from(text);
  const words = new Uint32Array(3);
  fingerprint(bytes, 0, bytes.length, seed, words);
  return [...words].map((word) => word.toString(16).padStart(8, "0")).join("");
}

test("fingerprints are the first 96 bits of the published MurmurHash3_x86_128", () => {
  expect(hex("", 0)).toBe("000000000000000000000000");
  expect(hex("The quick brown fox jumps over the lazy dog", 0)).toBe("2f1583c3ecee2c675d7bf66c");
});

test("where the bytes stand makes no difference, every byte and the length do", () => {
  const of = (bytes: Uint8Array, start: number, end: number) => {
    const words = new Uint32Array(3);
    fingerprint(bytes, start, end, 7, words);
    return words.join();
  };
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 70 }), fc.nat(20), (bytes, shift) => {
      const shifted = new Uint8Array(shift + bytes.length + 3).fill(0xaa);
      shifted.set(bytes, shift);
      const whole = of(bytes, 0, bytes.length);
      expect(of(shifted, shift, shift + bytes.length)).toBe(whole);
      expect(of(shifted, shift, shift + bytes.length + 1)).not.toBe(whole);
      for (let at = 0; at < bytes.length; at++) {
        const changed = Uint8Array.from(bytes);
        changed[at] = (changed[at] as number) ^ 1;
        expect(of(changed, 0, changed.length)).not.toBe(whole);
      }
    }),
  );
});

/** Few shards and homes, so that fingerprints crowd, wrap around the end and have to be moved back. */
const crowded = fc
  .tuple(fc.constantFrom(1, 2, 1 << 31), fc.integer({ min: 0, max: 20 }), fc.nat(3))
  .map(([first, second, third]) => Uint32Array.of(first, second, third) as Fingerprint);

test("the set is a set: any order of adding and asking", () => {
  const step = fc.tuple(fc.constantFrom("add", "has"), crowded);
  fc.assert(
    fc.property(fc.array(step, { maxLength: 400 }), (steps) => {
      const set = new FingerprintSet();
      const model = new Set<string>();
      for (const [what, id] of steps) {
        const key = id.join();
        const expected = what === "has" ? model.has(key) : !model.has(key) && !!model.add(key);
        expect(set[what as "add" | "has"](id)).toBe(expected);
        expect(set.size).toBe(model.size);
      }
      for (const key of model) expect(set.has(Uint32Array.from(key.split(",").map(Number)))).toBe(true);
    }),
    { numRuns: 300 },
  );
});

test("of many fingerprints all are found, and none that was not added", () => {
  const set = new FingerprintSet();
  const id = new Uint32Array(3);
  const name = (number: number) => {
    const bytes = Buffer.from(`outcome-${number}`);
    fingerprint(bytes, 0, bytes.length, 1, id);
    return id;
  };
  for (let i = 0; i < 200_000; i++) set.add(name(i));
  expect(set.size).toBe(200_000);
  for (let i = 0; i < 200_000; i += 7) expect(set.has(name(i)) && !set.has(name(200_000 + i))).toBe(true);
});

const endless = () => new IdTable({ isKept: () => true, hasRoom: () => true, forget: () => false });

test("a table that may not grow throws out what is not kept, and nothing else", () => {
  let oldest = 1;
  const bytesMax = 1_000_000;
  const table = new IdTable({
    isKept: (place) => place >= oldest,
    hasRoom: (bytes) => table.bytes + bytes <= bytesMax,
    forget: () => ++oldest > 0,
  });
  const id = new Uint32Array(3);
  const name = (number: number) => {
    const bytes = Buffer.from(`outcome-${number}`);
    fingerprint(bytes, 0, bytes.length, 1, id);
    return id;
  };
  // A place for each thousand.
  for (let i = 0; i < 500_000; i++) table.add(name(i), 1 + Math.floor(i / 1_000), i);
  expect(table.bytes).toBeLessThanOrEqual(bytesMax);
  const first = (oldest - 1) * 1_000;
  // Of shards of 80 slots the fullest say how much is kept; of large ones all are alike.
  expect(500_000 - first).toBeGreaterThan(bytesMax / 40);
  for (let i = first; i < 500_000; i += 7) {
    const found: number[] = [];
    table.each(name(i), (_, offset) => found.push(offset));
    expect(found).toContain(i);
  }
});

test("a table finds every place of a fingerprint, in any order of adding and deleting", () => {
  const step = fc.tuple(fc.constantFrom("add", "delete"), crowded, fc.integer({ min: 1, max: 4 }), fc.nat(2));
  fc.assert(
    fc.property(fc.array(step, { maxLength: 400 }), (steps) => {
      const table = endless();
      // By what a table tells apart: the shard, and the second word.
      const model = new Map<string, string[]>();
      const keyOf = (id: Fingerprint) => `${(id[0] as number) >>> 22} ${id[1]}`;
      for (const [what, id, place, offset] of steps) {
        const entries = model.get(keyOf(id)) ?? [];
        const entry = `${place} ${offset}`;
        const at = entries.indexOf(entry);
        if (what === "add") {
          table.add(id, place, offset);
          entries.push(entry);
        } else {
          expect(table.delete(id, place, offset)).toBe(at >= 0);
          if (at >= 0) entries.splice(at, 1);
        }
        model.set(keyOf(id), entries);
        const found: string[] = [];
        table.each(id, (place, offset) => found.push(`${place} ${offset}`));
        expect(found.sort()).toEqual([...entries].sort());
      }
    }),
    { numRuns: 300 },
  );
});

test("a table of many ids takes 15 to 24 bytes each and finds all of them", () => {
  const table = endless();
  const id = new Uint32Array(3);
  const name = (number: number) => {
    const bytes = Buffer.from(`outcome-${number}`);
    fingerprint(bytes, 0, bytes.length, 1, id);
    return id;
  };
  for (let i = 0; i < 200_000; i++) table.add(name(i), 1, i);
  expect(table.bytes / 200_000).toBeGreaterThan(12);
  expect(table.bytes / 200_000).toBeLessThan(25);
  for (let i = 0; i < 200_000; i += 7) {
    const found: number[] = [];
    table.each(name(i), (_, offset) => found.push(offset));
    expect(found).toContain(i);
  }
});

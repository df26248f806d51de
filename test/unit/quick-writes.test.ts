import { expect, test } from "vitest";
import { QuickWrites } from "../../src/outcomes/quick-writes.ts";

test("small writes are quick, large ones are not", () => {
  const writes = new QuickWrites();
  expect(writes.isQuick(64 * 1_024, 0)).toBe(true);
  expect(writes.isQuick(64 * 1_024 + 1, 0)).toBe(false);
});

test("one that the disk held up sends all of the next second elsewhere, and then they are tried again", () => {
  const writes = new QuickWrites();
  writes.took(10, 11.5);
  expect(writes.isQuick(1, 11.5)).toBe(true);
  writes.took(20, 50);
  expect(writes.isQuick(1, 50)).toBe(false);
  expect(writes.isQuick(1, 1_049)).toBe(false);
  expect(writes.isQuick(1, 1_050)).toBe(true);
});

import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import { segmentBar } from "../../src/cli/segment-bar.ts";

function shown(isTTY: boolean): string {
  const stream = Object.assign(new PassThrough(), { isTTY, columns: 80 }) as unknown as NodeJS.WriteStream;
  const bar = segmentBar("labelling", stream);
  bar.update(1, 3);
  bar.stop();
  return String(stream.read() ?? "");
}

test("a terminal sees how many segments are done, and keeps its cursor should the command be interrupted", () => {
  expect(shown(true)).toMatch(/labelling .* 1 of 3 segments/);
  expect(shown(true)).not.toContain("\u001b[?25l");
});

test("a pipe gets nothing of the bar", () => {
  expect(shown(false)).toBe("");
});

import { spawn } from "node:child_process";
import { once } from "node:events";
import { cp } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { growingReport, growingSegments } from "../support/killed-analysis.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const script = join(import.meta.dirname, "../support/killed-analysis.ts");
const all = growingSegments.length;

/** Answers whether the analysis came that far. */
async function killedAt(statement: number, folder: string): Promise<boolean> {
  const child = spawn(process.execPath, [script, folder, String(statement)], { stdio: "ignore" });
  const [code, signal] = await once(child, "exit");
  if (signal === "SIGKILL") return true;
  expect(code).toBe(0);
  return false;
}

test("an incremental analysis that is killed leaves what was known before, or all that is", async () => {
  const before = await temporaryFolder();
  await growingReport(before, 2, () => undefined);
  const whole = await growingReport(await temporaryFolder(), all);
  let statement = 1;
  for (; ; statement += 7) {
    const folder = await temporaryFolder();
    // With the times of its files, by which they are known.
    await cp(before, folder, { recursive: true, preserveTimestamps: true });
    const isKilled = await killedAt(statement, folder);
    const notices: string[] = [];
    expect(await growingReport(folder, all, (sentence) => notices.push(sentence))).toEqual(whole);
    expect(notices).toEqual([]);
    if (!isKilled) break;
  }
  // Some in each part of a fold.
  expect(statement).toBeGreaterThan(50);
});

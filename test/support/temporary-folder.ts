import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";

/** An empty folder of a whole suite, which removes it when it is done. */
export async function suiteFolder(): Promise<{ path: string; remove: () => Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), "setlist-test-"));
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}

/** An empty folder of the running test's own, removed when the test is over. */
export async function temporaryFolder(): Promise<string> {
  const { path, remove } = await suiteFolder();
  onTestFinished(remove);
  return path;
}

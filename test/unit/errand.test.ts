import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect, test } from "vitest";
import { Errand } from "../../src/processes/errand.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const errandFile = new URL("../../src/processes/errand.ts", import.meta.url);

async function errandOf(work: string) {
  const script = join(await temporaryFolder(), "errand.ts");
  writeFileSync(
    script,
    `import { runErrand } from ${JSON.stringify(errandFile.href)};\nrunErrand(async ({ number }) => {\n${work}\n});\n`,
  );
  return new Errand<{ readonly number: number }, { readonly double: number }>(
    pathToFileURL(script),
    "the sum",
  );
}

test.each([
  ["its answer", "return { double: number * 2 };", { double: 42 }],
  ["why it failed", 'throw new Error("no room");', { problem: "no room" }],
  ["that it ended", "process.exit(7);", { problem: "the sum ended with 7" }],
  ["what killed it", 'process.kill(process.pid, "SIGKILL");', { problem: "the sum ended with SIGKILL" }],
])("whoever runs an errand hears %s, and may run it again", async (_what, work, heard) => {
  const errand = await errandOf(work);
  expect(await errand.run({ number: 21 })).toEqual(heard);
  expect(await errand.run({ number: 21 })).toEqual(heard);
});

test("an errand that is called off says so", async () => {
  const errand = await errandOf("await new Promise(() => setInterval(() => undefined, 1_000));");
  const running = errand.run({ number: 1 });
  errand.kill();
  expect(await running).toEqual({ problem: "the sum ended with SIGKILL" });
});

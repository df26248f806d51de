import { expect, test, vi } from "vitest";
import { run } from "../../src/cli/cli.ts";

test.each([
  [["serve", "--http-port", "70000"], "--http-port 70000: expected a port from 0 to 65535"],
  [["analyze", "--engine", "sparc"], "--engine sparc: expected one of duckdb, spark"],
  [["analyze", "--segment", "user.a", "--segment", "user.a"], '--segment user.a: "user.a" is named twice'],
  [["power", "--mean"], "--mean: expected NUMBER, but missing"],
  [["assign"], "--unit: expected ID, but missing"],
  [["experiments", "show"], "ID: expected, but missing"],
  [
    ["assign", "--unit", "u", "--url", "http://a", "--data-dir", "b"],
    "expected --url or --data-dir, not both",
  ],
  [["experiments", "list", "--url", "http://a", "--config", "b"], "expected --url or --config, not both"],
  [["serv"], "unknown command 'serv'\n(Did you mean serve?)"],
])("%j is refused in the words of every other error", async (args, sentence) => {
  let said = "";
  const write = vi.spyOn(process.stderr, "write").mockImplementation((text) => {
    said += text;
    return true;
  });
  const code = await run(args).finally(() => write.mockRestore());
  expect([code, said]).toEqual([2, `setlist: ${sentence}\n(--help says more)\n`]);
});

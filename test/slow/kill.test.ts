import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect, test } from "vitest";

/** The same scenario as `npm run loadtest:kill`, which says what it compares: two rounds here, ten or two hundred by hand. */
test("a server killed under load has lost nothing that a client was promised", async () => {
  const child = spawn(process.execPath, ["loadtest/kill.ts", "--rounds", "2", "--segment-bytes", "8192"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let said = "";
  child.stdout.on("data", (chunk) => {
    said += chunk;
  });
  const [code] = await once(child, "close");
  expect(said).toContain("lost: 0 impressions, 0 outcomes; repeated 0, unknown 0");
  // Each life seals its last one; more than that went over to the next under load.
  expect(Number(/in (\d+) segments/.exec(said)?.[1])).toBeGreaterThan(4);
  expect(code).toBe(0);
});

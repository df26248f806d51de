import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect, test } from "vitest";
import { describeWherePostgres } from "../support/describe-with-postgres.ts";

/** The same scenario as `npm run loadtest:fleet-experiments`, which says what it measures, in short. */
describeWherePostgres("two servers under load that share their experiments", () => {
  test("obey a change within a second, and fail no request while PostgreSQL is gone", async () => {
    const short = ["--changes", "4", "--gone", "2", "--rate", "20"];
    const child = spawn(process.execPath, ["loadtest/fleet-experiments.ts", ...short], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    let said = "";
    child.stdout.on("data", (chunk) => {
      said += chunk;
    });
    const [code] = await once(child, "close");
    expect(said).toContain("a change meanwhile 503");
    expect(said).toContain("failed requests: 0");
    expect(code, said).toBe(0);
  }, 120_000);
});

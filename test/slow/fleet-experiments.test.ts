import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect, onTestFinished, test } from "vitest";
import { RunningServerPlace } from "../../src/client/running-server-place.ts";
import { describeWithPostgres } from "../support/describe-with.ts";
import { startApp } from "../support/running-app.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

describeWithPostgres("servers of a fleet whose PostgreSQL goes", (server) => {
  /** The same scenario as `npm run loadtest:fleet-experiments`, which says what it measures, in short. */
  test("two under load obey a change, and fail no request while PostgreSQL is gone", async () => {
    // A second on a machine that does nothing else.
    const short = ["--changes", "4", "--gone", "2", "--rate", "20", "--bar", "20000"];
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
  });

  test("one that starts meanwhile starts from its copy, ready and stale, and refuses to start where it has none", async () => {
    const change = { experimentStore: { url: await server().newDatabase() } };
    const dataDir = await temporaryFolder();
    const before = await startApp(dataDir, change);
    const { experiments } = (await before.get("/v1/experiments")).body as { experiments: unknown[] };
    await before.stop();
    await server().stop("fast");

    await expect(startApp(await temporaryFolder(), change)).rejects.toThrow(
      /^the experiment store cannot be reached: PostgreSQL at 127\.0\.0\.1:\d+\/test1: nobody listens there/,
    );
    const app = await startApp(dataDir, change);
    onTestFinished(() => app.stop());
    expect(experiments).not.toHaveLength(0);
    expect(await app.get("/v1/experiments")).toMatchObject({
      body: { experiments, stale: { reason: "nobody listens there (ECONNREFUSED)" } },
    });
    expect(await new RunningServerPlace(app.http).doubt()).toMatch(
      /^These are the experiments of 20.*Z: their store cannot be asked \(nobody listens there \(ECONNREFUSED\)\)\.$/,
    );
    expect(await app.get("/readyz")).toMatchObject({ status: 200, body: { status: "ready" } });
    const ranked = await app.post("/v1/rank", {
      surface: "home",
      user: { id: "u1" },
      candidateIds: ["t1", "t2"],
    });
    expect(ranked).toMatchObject({ status: 200, body: { assignments: [{ experiment: "home-kd" }] } });
  });
});

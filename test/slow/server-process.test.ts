import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { startServerProcess } from "../../src/app/server-process.ts";
import { childrenOf } from "../../src/telemetry/child-processes.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

describe("a server in a process of its own", () => {
  it("is refused with its own words where it does not start", async () => {
    const dataDir = await temporaryFolder();
    const starting = startServerProcess({ dataDir, flags: ["--models", "/nowhere/at/all"] });
    await expect(starting).rejects.toThrow(/the server ended with 1; its last words:.*nowhere/s);
  });

  it("is killed where it is not ready in time", async () => {
    const starting = startServerProcess({ dataDir: await temporaryFolder(), readyMsMax: 1 });
    await expect(starting).rejects.toThrow(/was not ready within 1 ms/);
  });

  it("says its ports, answers, and stops in order", async () => {
    const server = await startServerProcess({ dataDir: await temporaryFolder() });
    const ready = await fetch(`http://127.0.0.1:${server.httpPort}/readyz`);
    expect(ready.status).toBe(200);
    expect(server.grpcPort).toBeGreaterThan(0);
    expect(await server.stop()).toBe(0);
  });

  it.runIf(process.platform === "linux")(
    "shows what inference takes, and has it tell its maker nothing",
    async () => {
      const server = await startServerProcess({ dataDir: await temporaryFolder() });
      const environments = childrenOf(server.pid).map((pid) => readFileSync(`/proc/${pid}/environ`, "utf8"));
      const metrics = await (await fetch(`http://127.0.0.1:${server.httpPort}/metrics`)).text();
      expect(await server.stop()).toBe(0);
      expect(environments.length).toBeGreaterThan(0);
      for (const environment of environments) {
        expect(environment.split("\0")).toContain("ORT_DISABLE_TELEMETRY=1");
      }
      const [, bytes] =
        /^setlist_child_resident_memory_bytes{process="inference"} (\d+)$/m.exec(metrics) ?? [];
      expect(Number(bytes)).toBeGreaterThan(30e6);
    },
  );
});

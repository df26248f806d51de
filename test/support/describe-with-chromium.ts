import type { Browser } from "playwright-core";
import { afterAll, beforeAll } from "vitest";
import { missingChromium, startChromium } from "./chromium.ts";
import { describeWhere } from "./describe-where.ts";

/** A suite that needs Chromium to be installed; `REQUIRE_CHROMIUM` requires it. */
export function describeWithChromium(name: string, suite: (browser: () => Browser) => void): void {
  const required = process.env["REQUIRE_CHROMIUM"] !== undefined;
  describeWhere(name, { missing: missingChromium(), required }, () => {
    let running: Browser | undefined;
    beforeAll(async () => {
      running = await startChromium();
    });
    afterAll(() => running?.close());
    suite(() => {
      if (running === undefined) throw new Error("Chromium has not been started");
      return running;
    });
  });
}

import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe } from "vitest";
import { missingChromium, startChromium } from "./chromium.ts";

/**
 * A suite that needs Chromium to be installed. Without it the suite is skipped with a warning that says so, or fails
 * where `REQUIRE_CHROMIUM` is set, as .ci/run does.
 */
export function describeWithChromium(name: string, suite: (browser: () => Browser) => void): void {
  const missing = missingChromium();
  if (missing !== undefined) {
    if (process.env["REQUIRE_CHROMIUM"] !== undefined) throw new Error(`${name}: ${missing}`);
    console.warn(`SKIPPED: ${name}: ${missing}`);
    describe.skip(name, () => undefined);
    return;
  }
  describe(name, () => {
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

/** Suites that need something of the machine, and are skipped where it is not there. */
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe } from "vitest";
import { missingChromium, startChromium } from "./chromium.ts";
import { type KafkaBroker, missingKafka, startKafka } from "./kafka.ts";
import { missingPostgres, type PostgresServer, startPostgres } from "./postgres.ts";

declare module "vitest" {
  interface TaskMeta {
    /** What of the machine a suite that is skipped needs, and how to come by it. */
    missing?: string;
  }
}

/**
 * Where something is `missing`, the suite is skipped, which the run's last lines say (skipped-suites.ts); or it fails
 * where that is required, as .ci/run does with variables such as `REQUIRE_POSTGRES`.
 */
export function describeWhere(
  name: string,
  { missing, required }: { readonly missing: string | undefined; readonly required: boolean },
  suite: () => void,
): void {
  if (missing === undefined) {
    describe(name, suite);
    return;
  }
  if (required) throw new Error(`${name}: ${missing}`);
  describe.skip(name, { meta: { missing } }, suite);
}

interface Server<Running> {
  readonly missing: () => string | undefined;
  /** The variable that requires it. */
  readonly required: string;
  readonly start: () => Promise<Running>;
  readonly stop: (running: Running) => Promise<void>;
}

/** A suite with such a server, or browser, that runs for it: what the suite is given answers it. */
const describeWith =
  <Running>({ missing, required, start, stop }: Server<Running>) =>
  (name: string, suite: (running: () => Running) => void): void =>
    describeWhere(name, { missing: missing(), required: process.env[required] !== undefined }, () => {
      let running: Running | undefined;
      beforeAll(async () => {
        running = await start();
      });
      afterAll(() => running && stop(running));
      suite(() => {
        if (running === undefined) throw new Error(`${name}: nothing has been started`);
        return running;
      });
    });

export const describeWithChromium = describeWith<Browser>({
  missing: missingChromium,
  required: "REQUIRE_CHROMIUM",
  start: startChromium,
  stop: (browser) => browser.close(),
});

export const describeWithKafka = describeWith<KafkaBroker>({
  missing: missingKafka,
  required: "REQUIRE_KAFKA",
  start: startKafka,
  stop: (broker) => broker.remove(),
});

export const describeWithPostgres = describeWith<PostgresServer>({
  missing: missingPostgres,
  required: "REQUIRE_POSTGRES",
  start: startPostgres,
  stop: (server) => server.remove(),
});

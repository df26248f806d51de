import { afterAll, beforeAll, describe } from "vitest";
import { missingPostgres, type PostgresServer, startPostgres } from "./postgres.ts";

/**
 * A suite that needs PostgreSQL; `server` answers the one that runs for it. Without PostgreSQL the suite is skipped with
 * a warning that says so, or fails where `REQUIRE_POSTGRES` is set, as .ci/run does.
 */
export function describeWithPostgres(name: string, suite: (server: () => PostgresServer) => void): void {
  const missing = missingPostgres();
  if (missing === undefined) {
    describe(name, () => {
      let running: PostgresServer | undefined;
      beforeAll(async () => {
        running = await startPostgres();
      });
      afterAll(() => running?.remove());
      suite(() => running ?? notStarted());
    });
    return;
  }
  if (process.env["REQUIRE_POSTGRES"] !== undefined) throw new Error(`${name}: ${missing}`);
  console.warn(`SKIPPED: ${name}: ${missing}`);
  describe.skip(`${name} (${missing})`, () => suite(notStarted));
}

function notStarted(): never {
  throw new Error("PostgreSQL has not been started");
}

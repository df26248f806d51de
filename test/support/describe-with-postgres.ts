import { afterAll, beforeAll } from "vitest";
import { describeWhere } from "./describe-where.ts";
import { missingPostgres, type PostgresServer, startPostgres } from "./postgres.ts";

/**
 * A suite that needs PostgreSQL to be installed. Without it the suite is skipped with a warning that says so, or fails
 * where `REQUIRE_POSTGRES` is set, as .ci/run does.
 */
export function describeWherePostgres(name: string, suite: () => void): void {
  const required = process.env["REQUIRE_POSTGRES"] !== undefined;
  describeWhere(name, { missing: missingPostgres(), required }, suite);
}

/** The same with a server that runs for the suite: `server` answers it. */
export function describeWithPostgres(name: string, suite: (server: () => PostgresServer) => void): void {
  describeWherePostgres(name, () => {
    let running: PostgresServer | undefined;
    beforeAll(async () => {
      running = await startPostgres();
    });
    afterAll(() => running?.remove());
    suite(() => {
      if (running === undefined) throw new Error("PostgreSQL has not been started");
      return running;
    });
  });
}

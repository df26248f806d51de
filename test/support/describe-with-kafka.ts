import { afterAll, beforeAll, describe } from "vitest";
import { type KafkaBroker, missingKafka, startKafka } from "./kafka.ts";

/**
 * A suite with a real Kafka broker that runs for it: `broker` answers it. Where Java or Kafka's jars are missing the
 * suite is skipped with a warning that says so, or fails where `REQUIRE_KAFKA` is set, as .ci/run does.
 */
export function describeWithKafka(name: string, suite: (broker: () => KafkaBroker) => void): void {
  const missing = missingKafka();
  if (missing !== undefined) {
    if (process.env["REQUIRE_KAFKA"] !== undefined) throw new Error(`${name}: ${missing}`);
    console.warn(`SKIPPED: ${name}: ${missing}`);
  }
  describe.skipIf(missing !== undefined)(name, () => {
    let running: KafkaBroker | undefined;
    beforeAll(async () => {
      running = await startKafka();
    }, 90_000);
    afterAll(() => running?.remove());
    suite(() => {
      if (running === undefined) throw new Error("Kafka has not been started");
      return running;
    });
  });
}

import { expect, test } from "vitest";
import type { LoadReport } from "../../loadtest/load-run.ts";
import { recoveredAfter } from "../../loadtest/overload-report.ts";

function slice(p99: number, degraded = 0, answered = 100): LoadReport {
  return { degraded, answered, scheduled: 100, latencyMs: { p99 } } as unknown as LoadReport;
}

test("a server is well again from the slice on behind which none was bad", () => {
  const before = slice(5);
  expect(recoveredAfter([slice(4), slice(5)], before, 0.5)).toBe(0);
  expect(recoveredAfter([slice(40), slice(9), slice(5)], before, 0.5)).toBe(0.5);
  expect(recoveredAfter([slice(4), slice(4, 1), slice(5)], before, 0.5)).toBe(1);
  expect(recoveredAfter([slice(4), slice(4, 0, 99), slice(5)], before, 0.5)).toBe(1);
  expect(recoveredAfter([slice(4), slice(40)], before, 0.5)).toBeNull();
});

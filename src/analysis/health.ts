/** Health before verdict: is there anything that makes every other number worthless, and what is its likely cause? */
import type { HealthFindings } from "./health-findings.ts";
import type { HealthReport } from "./report-sections.ts";
import { crossedCheck, exposureCheck, splitCheck, strataChecks } from "./split-checks.ts";
import { balance, enoughUnits, prePeriod } from "./unit-checks.ts";

export function healthOf(findings: HealthFindings): HealthReport {
  const split = splitCheck(findings);
  const checks = [
    split,
    ...strataChecks(findings, split.ok === false),
    crossedCheck(findings),
    exposureCheck(findings),
    prePeriod(findings),
    balance(findings),
    enoughUnits(findings),
  ];
  return { ok: checks.every(({ ok }) => ok !== false), checks };
}

import { describe } from "vitest";

/**
 * A suite that needs something of the machine; `missing` says what is not there. Then the suite is skipped with a warning
 * that says so, or fails where it is required, as .ci/run does with variables such as `REQUIRE_POSTGRES`.
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
  console.warn(`SKIPPED: ${name}: ${missing}`);
  describe.skip(name, suite);
}

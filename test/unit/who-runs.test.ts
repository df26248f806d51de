import { userInfo } from "node:os";
import { expect, test, vi } from "vitest";
import { whoRuns } from "../../src/cli/who-runs.ts";

vi.mock("node:os", { spy: true });

test("a user is known by name, and one that the system's list does not have by number", () => {
  expect(whoRuns()).toBe(userInfo().username);
  vi.mocked(userInfo).mockImplementation(() => {
    throw new Error("uv_os_get_passwd returned ENOENT");
  });
  expect(whoRuns()).toBe(`uid ${process.getuid?.()}`);
});

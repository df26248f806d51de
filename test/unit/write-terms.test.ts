import { expect, test } from "vitest";
import { headerText } from "../../src/domain/header-text.ts";
import { writerOf } from "../../src/rollout/write-terms.ts";

test.each(["ada", "Jörg Müller", "a b", "50 %"])("who writes is the history's as it was said: %s", (who) => {
  expect(writerOf(headerText(who))).toBe(who);
});

test("what is not percent-encoded stands as it came", () => {
  expect(writerOf("100%")).toBe("100%");
});

test("nobody named is the API, and a name of more than 256 characters is refused", () => {
  expect(writerOf(" ")).toBe("api");
  expect(() => writerOf("a".repeat(257))).toThrow("setlist-actor: expected at most 256 characters, got 257");
});

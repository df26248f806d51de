import { describe, expect, it } from "vitest";
import { agrees, createBook } from "../../loadtest/book.ts";
import { impressionOf, outcomeOf, streamed } from "../support/log-records.ts";

const impression = (requestId: string) => impressionOf(requestId, "u1", "control");
const outcome = (outcomeId: string) => outcomeOf(outcomeId, "r1", "t1");

/** A client that got two rankings and an acknowledgement of two outcomes; a third of each was cut off. */
function clientsBook() {
  const book = createBook();
  for (const id of ["r1", "r2", "r3"]) book.asked(id);
  for (const id of ["r1", "r2"]) book.answered(id);
  book.sent(["o1", "o2", "o3"]);
  book.acknowledged(["o1", "o2"]);
  return book;
}

const whole = [impression("r1"), outcome("o1"), impression("r2"), outcome("o2")];

describe("the client's book against the log", () => {
  it("agrees where everything promised is there once", async () => {
    const audit = await clientsBook().audit(streamed(whole));
    expect(agrees(audit)).toBe(true);
    expect(audit).toMatchObject({ impressions: 2, outcomes: 2 });
  });

  it("agrees with what was written but cut off before the answer", async () => {
    const audit = await clientsBook().audit(streamed([...whole, impression("r3"), outcome("o3")]));
    expect(agrees(audit)).toBe(true);
  });

  it("finds a lost impression and a lost outcome", async () => {
    const audit = await clientsBook().audit(streamed([impression("r2"), outcome("o1")]));
    expect(agrees(audit)).toBe(false);
    expect(audit).toMatchObject({ lostImpressions: ["r1"], lostOutcomes: ["o2"] });
  });

  it("finds what was written twice", async () => {
    const audit = await clientsBook().audit(streamed([...whole, outcome("o2"), impression("r1")]));
    expect(agrees(audit)).toBe(false);
    expect(audit.repeated.toSorted()).toEqual(["o2", "r1"]);
  });

  it("finds what nobody sent", async () => {
    const audit = await clientsBook().audit(streamed([...whole, outcome("ghost")]));
    expect(agrees(audit)).toBe(false);
    expect(audit.unknown).toEqual(["ghost"]);
  });

  it("counts an outcome acknowledged twice once", () => {
    const book = clientsBook();
    book.acknowledged(["o2", "o3"]);
    expect(book.acknowledgedCount).toBe(3);
    expect(book.answeredCount).toBe(2);
  });
});

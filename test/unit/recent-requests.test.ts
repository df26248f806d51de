import { expect, test } from "vitest";
import type { RankRequest } from "../../src/domain/rank.ts";
import { RecentRequests } from "../../src/serving/recent-requests.ts";

function request(user: string, candidates = 3, surface = "home"): RankRequest {
  return {
    requestId: user,
    surface,
    user: { id: user, attributes: {}, features: { taste: 1 } },
    context: { attributes: {}, features: {} },
    candidates: Array.from({ length: candidates }, (_, index) => ({
      id: `t${index}`,
      features: { large: [1, 2, 3] },
    })),
    limit: 5,
    timeoutMs: 50,
    explain: true,
  };
}

test("the latest of each surface are kept, a bounded number of them, seldom enough to cost nothing", () => {
  let now = 0;
  const recent = new RecentRequests({ now: () => 0, monotonic: () => now });
  for (let index = 0; index < 100; index++) {
    recent.note(request(`u${index}`));
    recent.note(request("too soon after"));
    now += 50;
  }
  recent.note(request("elsewhere", 1, "radio"));
  const users = recent.of("home").map(({ user }) => user.id);
  expect(users).toHaveLength(32);
  expect(new Set(users)).toEqual(new Set(Array.from({ length: 32 }, (_, index) => `u${68 + index}`)));
  expect(recent.of("radio")).toHaveLength(1);
  expect(recent.of("none")).toEqual([]);
});

test("of a request its ids are kept, not its candidates' features, and not more than there is room for", () => {
  const recent = new RecentRequests({ now: () => 0, monotonic: () => 0 });
  recent.note(request("u1", 2_000));
  const [kept] = recent.of("home");
  expect(kept?.candidates.length).toBe(500);
  expect(kept?.candidates.at(0)).toEqual({ id: "t0" });
  expect(kept).toMatchObject({ user: { features: { taste: 1 } }, timeoutMs: undefined, explain: false });
});

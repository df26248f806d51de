/** What the soak believes of itself: its book, its reading of metrics, its reckoning and its verdicts. */
import { describe, expect, it } from "vitest";
import type { LoadReport } from "../../loadtest/load-run.ts";
import { metricValue, readMetrics } from "../../loadtest/soak/metrics-text.ts";
import { createNumberedBook } from "../../loadtest/soak/numbered-book.ts";
import { disagreements, reckon } from "../../loadtest/soak/reckoning.ts";
import { drawSoak, formatSoak, type SoakMinute, trendOf } from "../../loadtest/soak/soak-report.ts";
import { type SoakFindings, verdictsOf } from "../../loadtest/soak/verdicts.ts";
import { codeOf, outcomesRequest, rankTemplate, withRequestId } from "../../loadtest/soak/wire.ts";

describe("a book of numbered ids", () => {
  it("finds what was promised and is not there, what is there twice, and what nobody sent", () => {
    const book = createNumberedBook("r");
    const [whole, lost, twice, cutOff] = [book.send(), book.send(), book.send(), book.send()];
    for (const id of [whole, lost, twice]) book.promised(id);
    for (const id of [whole, twice, twice, cutOff, "r0000000099", "o0000000000"]) book.found(id);
    expect(book.audit()).toEqual({
      ...{ sent: 4, promised: 3, found: 3, lost: 1, repeated: 1, unknown: 2 },
      examples: ["r0000000099 unknown", "o0000000000 unknown", `${lost} lost`, `${twice} 2 times`],
    });
  });

  it("counts a promise once, and goes on past its first page", () => {
    const book = createNumberedBook("o");
    const ids = Array.from({ length: 70_000 }, () => book.send());
    for (const id of [...ids, ...ids]) book.promised(id);
    for (const id of ids) book.found(id);
    expect(book.promisedCount).toBe(70_000);
    expect(book.audit()).toMatchObject({ sent: 70_000, found: 70_000, lost: 0, repeated: 0, unknown: 0 });
  });

  it("refuses a promise of what it never sent", () => {
    expect(() => createNumberedBook("r").promised("r0000000000")).toThrow("never sent");
  });
});

describe("a request template", () => {
  const body = { surface: "home", user: { id: "u1" }, candidateIds: ["t1", "t2"], limit: 1 };

  it("takes each id in the same place over HTTP, and stays whole", () => {
    const request = withRequestId(rankTemplate("http", body, "http://127.0.0.1:1"), "r0000000042");
    const text = request.toString().split("\r\n\r\n")[1] as string;
    expect(JSON.parse(text)).toEqual({ requestId: "r0000000042", ...body });
  });

  it("does so over gRPC too, each in bytes of its own", () => {
    const template = rankTemplate("grpc", body, "http://127.0.0.1:1");
    const [one, other] = [withRequestId(template, "r0000000001"), withRequestId(template, "r0000000002")];
    expect(one.includes("r0000000001")).toBe(true);
    expect(other.includes("r0000000001")).toBe(false);
    expect(one.readUInt32BE(1)).toBe(one.length - 5);
  });

  it("frames outcomes for both doors", () => {
    const outcomes = [{ outcomeId: "o0000000001", requestId: "r0000000001", itemId: "t1", type: "click" }];
    expect(outcomesRequest("http", outcomes, "h").includes(`"outcomeId":"o0000000001"`)).toBe(true);
    const message = outcomesRequest("grpc", outcomes, "h");
    expect(message.readUInt32BE(1)).toBe(message.length - 5);
  });

  it("names codes as the server's metrics do", () => {
    expect([codeOf("200"), codeOf("gRPC 0"), codeOf("gRPC 8")]).toEqual(["200", "OK", "RESOURCE_EXHAUSTED"]);
  });
});

const scraped = `# HELP setlist_requests_total Answers
setlist_requests_total{transport="http",route="/v1/rank",code="200"} 10
setlist_requests_total{transport="grpc",route="RankingService/Rank",code="OK"} 9
setlist_outcomes_total{result="accepted"} 3
setlist_outcomes_total{result="rejected"} 0
setlist_experiment_revisions 7
process_open_fds 51
`;

describe("the server's metrics", () => {
  it("are read line by line", () => {
    const lines = readMetrics(scraped);
    expect(lines).toHaveLength(6);
    expect(lines[0]).toEqual({
      name: "setlist_requests_total",
      labels: { transport: "http", route: "/v1/rank", code: "200" },
      value: 10,
    });
    expect(metricValue(lines, "process_open_fds")).toBe(51);
    expect(metricValue(lines, "not_there")).toBe(0);
  });

  it("agree with the load's book, or are told apart", () => {
    const ledger = new Map([
      ["request http /v1/rank 200", 10],
      ["request grpc RankingService/Rank OK", 8],
      ["outcomes accepted", 3],
      ["outcomes duplicate", 0],
      ["revisions", 7],
      ["breach soak-2", 1],
    ]);
    const rows = reckon(ledger, readMetrics(scraped));
    expect(rows).toHaveLength(5);
    expect(disagreements(rows)).toEqual([
      { what: "breach soak-2", ours: 1, servers: 0 },
      { what: "request grpc RankingService/Rank OK", ours: 8, servers: 9 },
    ]);
  });
});

const percentiles = { p50: 2, p90: 4, p95: 5, p99: 10, p99_9: 20, max: 30 };

function minute(number: number, change: Partial<SoakMinute> = {}): SoakMinute {
  const load: LoadReport = {
    ...{ target: "t", offeredRate: 100, achievedRate: 100, goodRate: 100, timelyRate: 100, curve: [] },
    ...{ scheduled: 6_000, answered: 6_000, degraded: 0, errors: {}, latencyMs: percentiles },
    ...{ fromSendingMs: percentiles, generatorLagMs: percentiles },
  };
  return {
    ...{ load, serverMib: number < 10 ? 400 + 10 * number : 500, inferenceMib: 600, passingMib: 200 },
    ...{ heapMib: 100, externalMib: 50, openFiles: 200, loopLagP99Ms: 20, cores: 0.5, dataMib: number * 10 },
    ...{ segmentsWaiting: number % 3 },
    ...change,
  };
}

const calm = Array.from({ length: 30 }, (_, number) => minute(number));
const whole = { sent: 5, promised: 5, found: 5, lost: 0, repeated: 0, unknown: 0, examples: [] };

function findings(change: Partial<SoakFindings> = {}): SoakFindings {
  return {
    trend: trendOf(calm),
    loads: calm.map(({ load }) => load),
    reckoning: [{ what: "outcomes accepted", ours: 3, servers: 3 }],
    history: { revisions: 9, acknowledged: 6, lost: [], unknown: [], unharmed: [] },
    ...{ impressions: whole, outcomes: whole },
    verification: { impressions: 5, outcomes: 5, truncatedBytes: 0, corrupt: [] },
    exitCode: 0,
    analyses: [{ incremental: true, tookMs: 1_000, exitCode: 3 }],
    faults: [],
    ...change,
  };
}

const failed = (found: SoakFindings): string[] =>
  verdictsOf(found)
    .filter(({ good }) => !good)
    .map(({ text }) => text);

describe("the verdict of a soak", () => {
  it("is good where memory settles, latency stays and all is there", () => {
    expect(failed(findings())).toEqual([]);
  });

  it.each<[string, Partial<SoakFindings>]>([
    ["memory", { trend: trendOf(calm.map((one, n) => ({ ...one, serverMib: 400 + n }))) }],
    ["memory", { trend: trendOf(calm.map((one, n) => ({ ...one, inferenceMib: 400 + n }))) }],
    ["open files", { trend: trendOf(calm.map((one, n) => ({ ...one, openFiles: 100 + n }))) }],
    [
      "p99",
      {
        trend: trendOf(
          calm.map((one, n) => ({
            ...one,
            load: { ...one.load, latencyMs: { ...percentiles, p99: 10 + n } },
          })),
        ),
      },
    ],
    [
      "179999 of 180000",
      { loads: calm.map(({ load }, n) => (n === 0 ? { ...load, answered: 5_999 } : load)) },
    ],
    ["180000 of 180000", { loads: calm.map(({ load }) => ({ ...load, degraded: 61 })) }],
    ["impressions", { impressions: { ...whole, lost: 1 } }],
    ["outcomes", { outcomes: { ...whole, repeated: 1 } }],
    [
      "experiments",
      { history: { revisions: 9, acknowledged: 6, lost: ["soak-1 2"], unknown: [], unharmed: [] } },
    ],
    ["the server's metrics", { reckoning: [{ what: "outcomes accepted", ours: 3, servers: 2 }] }],
    ["analyses", { analyses: [{ incremental: false, tookMs: 1, exitCode: 1 }] }],
    ["changes", { faults: ["soak-1 start: 500"] }],
    ["the server ended", { exitCode: 1 }],
  ])("names %s where it is not", (name, change) => {
    const texts = failed(findings(change));
    expect(texts).toHaveLength(1);
    expect(texts[0]).toContain(name);
  });

  it("says nothing of trends after a few minutes, while memory fills", () => {
    const few = calm.slice(0, 3);
    const found = findings({ loads: few.map(({ load }) => load), trend: trendOf(few) });
    expect(verdictsOf(found).some(({ text }) => text.startsWith("memory"))).toBe(false);
    expect(failed(found)).toEqual([]);
  });

  it("takes refusals of overload for what they are, up to a hundredth", () => {
    const refusing = calm.map(({ load }) => ({
      ...load,
      answered: 5_950,
      errors: { "429": 30, "gRPC 8": 20 },
    }));
    expect(failed(findings({ loads: refusing }))).toEqual([]);
  });

  it("has a row for every five minutes, and a picture without holes", () => {
    expect(formatSoak(calm, 5)).toContain("26 to 30");
    expect(drawSoak(calm, "a test")).not.toMatch(/NaN|Infinity|undefined/);
  });
});

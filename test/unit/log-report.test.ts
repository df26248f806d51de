import { expect, test } from "vitest";
import type { LogAlone } from "../../loadtest/log-alone.ts";
import { formatLogFigures, type LogRound, logFigures } from "../../loadtest/log-report.ts";

const alone: LogAlone = {
  impressionsPerSecond: 30_000,
  impressionBytes: 1_300,
  bareImpressionsPerSecond: 100_000,
  outcomesPerSecond: 50_000,
  outcomeBytes: 137,
  bareOutcomesPerSecond: 80_000,
  readMegabytesPerSecond: 200,
  readBatchesMegabytesPerSecond: 250,
  verifyMegabytesPerSecond: 260,
  bareReadMegabytesPerSecond: 1_000,
  recoverMegabytesPerSecond: 199,
  threadMicrosPerImpression: 49,
};

const door = (outcomesPerSecond: number) => ({ outcomesPerSecond, p50Ms: 1, p99Ms: 2 });

function figuresOf(rounds: readonly LogRound[]) {
  return Object.fromEntries(logFigures(rounds).map((figure) => [figure.what, figure]));
}

test("a bar is met by the number or by the share of bare, and missed below both", () => {
  const figures = figuresOf([
    { alone, server: { doors: { HTTP: door(100_000), gRPC: door(39_999) }, ranksPerSecond: 2_000 } },
  ]);
  expect(figures["outcomes durable over HTTP"]?.met).toBe(true);
  expect(figures["outcomes durable over gRPC"]?.met).toBe(false);
  expect(figures["outcomes durable in the log alone"]).toMatchObject({ ratio: 0.625, met: true });
  expect(figures["impressions appended"]).toMatchObject({ ratio: 0.3, met: true });
  expect(figures["answering thread, an impression"]?.met).toBe(true);
  expect(figures["recovery"]?.met).toBe(false);
  expect(figures["rank requests logged by a server"]?.met).toBeNull();
  expect(formatLogFigures(Object.values(figures))).toMatch(/recovery .*199 .*MISSED/);
});

test("medians are of the rounds, and a ratio is the median of each round's own", () => {
  const rounds = [
    [100, 1_000],
    [200, 400],
    [900, 1_000],
  ].map(([outcomesPerSecond = 0, bareOutcomesPerSecond = 0]) => ({
    alone: { ...alone, outcomesPerSecond, bareOutcomesPerSecond },
    server: undefined,
  }));
  const figures = figuresOf(rounds);
  expect(figures["outcomes durable in the log alone"]).toMatchObject({ value: 200, bare: 1_000, ratio: 0.5 });
  expect(figures["outcomes durable over HTTP"]).toBeUndefined();
});

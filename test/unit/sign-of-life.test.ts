import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { watchSignOfLife } from "../../src/processes/sign-of-life.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** Someone who answers, or does not, as the test says. */
function watched(turnsMax: number) {
  const onSilence = vi.fn();
  const asked: PromiseWithResolvers<void>[] = [];
  const stop = watchSignOfLife({
    ask() {
      const answer = Promise.withResolvers<void>();
      asked.push(answer);
      return answer.promise;
    },
    everyMs: 1_000,
    turnsMax,
    onSilence,
  });
  return { onSilence, asked, stop };
}

test("no answer for so many turns is a silence, told once; nobody is asked again meanwhile", async () => {
  const { onSilence, asked } = watched(3);
  await vi.advanceTimersByTimeAsync(3_000);
  expect(onSilence).not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(1_000);
  expect(onSilence).toHaveBeenCalledTimes(1);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(onSilence).toHaveBeenCalledTimes(1);
  expect(asked).toHaveLength(1);
});

test("whoever answers late, but answers, is asked on and never silent", async () => {
  const { onSilence, asked } = watched(3);
  for (let turn = 1; turn <= 10; turn++) {
    await vi.advanceTimersByTimeAsync(3_000);
    asked.at(-1)?.resolve();
    await vi.advanceTimersByTimeAsync(0);
  }
  expect(asked).toHaveLength(10);
  expect(onSilence).not.toHaveBeenCalled();
});

test("one that has ended is asked no more, and is not silent", async () => {
  const { onSilence, asked } = watched(3);
  await vi.advanceTimersByTimeAsync(1_000);
  asked[0]?.reject(new Error("the process that was asked has ended"));
  await vi.advanceTimersByTimeAsync(60_000);
  expect(asked).toHaveLength(1);
  expect(onSilence).not.toHaveBeenCalled();
});

test("a watch that was ended asks nobody", async () => {
  const { onSilence, asked, stop } = watched(3);
  stop();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(asked).toHaveLength(0);
  expect(onSilence).not.toHaveBeenCalled();
});

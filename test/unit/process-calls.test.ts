import { EventEmitter } from "node:events";
import { expect, test } from "vitest";
import { SetlistError } from "../../src/domain/error.ts";
import { Calls } from "../../src/processes/processes.ts";

interface Arithmetic {
  sum(one: number, other: number): Promise<number>;
  fail(how: "told" | "unforeseen"): Promise<never>;
  never(): Promise<void>;
}

const arithmetic: Arithmetic = {
  sum: async (one, other) => one + other,
  async fail(how) {
    if (how === "unforeseen") throw new RangeError("out of range");
    throw new SetlistError("ABORTED", "a label needs it", { retryAfterSeconds: 3 });
  },
  never: () => new Promise(() => undefined),
};

/** Two ends that copy what they are sent, as Node's channel does. */
function ends() {
  const one = new EventEmitter();
  const other = new EventEmitter();
  const joined = (to: EventEmitter) => (message: object) =>
    void setImmediate(() => to.emit("message", structuredClone(message)));
  const disconnect = (): void => {
    one.emit("disconnect");
    other.emit("disconnect");
  };
  return {
    one: Object.assign(one, { send: joined(other) }),
    other: Object.assign(other, { send: joined(one) }),
    disconnect,
  };
}

function connected() {
  const { one, other, disconnect } = ends();
  new Calls(other, { ...arithmetic });
  return { calls: new Calls<Arithmetic>(one, {}), disconnect };
}

test("answers come to whoever asked, also where many ask at once", async () => {
  const { calls } = connected();
  expect(await Promise.all([calls.ask("sum", 1, 2), calls.ask("sum", 3, 4)])).toEqual([3, 7]);
});

test("both sides ask over one channel", async () => {
  const { one, other } = ends();
  const there = new Calls<Arithmetic>(other, { ...arithmetic });
  const here = new Calls<Arithmetic>(one, { ...arithmetic });
  expect(await Promise.all([there.ask("sum", 1, 2), here.ask("sum", 3, 4)])).toEqual([3, 7]);
});

test("an error that may be told arrives as it was; another keeps its trace, for the log", async () => {
  const { calls } = connected();
  const told = calls.ask("fail", "told");
  await expect(told).rejects.toBeInstanceOf(SetlistError);
  await expect(told).rejects.toMatchObject({ code: "ABORTED", retryAfterSeconds: 3 });
  const unforeseen = calls.ask("fail", "unforeseen");
  await expect(unforeseen).rejects.not.toBeInstanceOf(SetlistError);
  await expect(unforeseen).rejects.toThrow(/RangeError: out of range\n.*process-calls/);
});

test("where the other side ends, what waits and what is asked later is refused", async () => {
  const { calls, disconnect } = connected();
  const waiting = calls.ask("never");
  disconnect();
  await expect(waiting).rejects.toMatchObject({ code: "UNAVAILABLE" });
  await expect(calls.ask("sum", 1, 2)).rejects.toMatchObject({ code: "UNAVAILABLE" });
});

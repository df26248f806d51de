import { setTimeout as delay } from "node:timers/promises";
import type { Attack, Victim } from "./attack.ts";
import { openRaw, type RawConnection } from "./raw-connection.ts";

const clients = 100;
const head = "POST /v1/rank HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n";
const largest = "GET /docs/static/swagger-ui-bundle.js HTTP/1.1\r\nHost: x\r\n\r\n";
const document = "GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n";

/** Headers have 5 s and a whole request 10 s; the server looks once a second. */
const endedWithinMs = 14_000;

async function openMany(port: number, first: string): Promise<RawConnection[]> {
  const all: RawConnection[] = [];
  for (let i = 0; i < clients; i++) {
    const one = await openRaw(port);
    one.write(first);
    all.push(one);
  }
  return all;
}

async function stillOpen(all: readonly RawConnection[], ms: number): Promise<number> {
  const ended = await Promise.all(all.map((one) => one.endsWithin(ms)));
  for (const one of all) one.destroy();
  return ended.filter((isEnded) => !isEnded).length;
}

/** A request that comes byte by byte, or stops coming. */
function dripping(name: string, first: string, drip: string): Attack {
  return {
    name,
    async run({ httpPort }: Victim) {
      const all = await openMany(httpPort, first);
      const timer = setInterval(() => {
        for (const one of all) if (drip !== "" && one.isOpen()) one.write(drip);
      }, 1_000);
      const open = await stillOpen(all, endedWithinMs);
      clearInterval(timer);
      return { sent: `${clients} connections`, findings: open > 0 ? [`${open} were kept`] : [] };
    },
  };
}

const unread: Attack = {
  name: "answers that are not read",
  async run({ httpPort }, { holdSeconds }) {
    const all = await openMany(httpPort, "");
    for (const [place, one] of all.entries()) {
      one.pause();
      one.write((place % 2 === 0 ? largest : document).repeat(100));
    }
    await delay(holdSeconds * 1_000);
    // Who does not read learns of an end by writing: the first gets an RST, and the second fails.
    for (const byte of ["\r", "\n"]) {
      for (const one of all) if (one.isOpen()) one.write(byte);
      await delay(500);
    }
    const open = all.filter((one) => one.isOpen()).length;
    for (const one of all) one.destroy();
    const promised = holdSeconds >= 65;
    return {
      sent: `${clients} x 100 requests for the largest answers`,
      findings: promised && open > 0 ? [`${open} were kept`] : [],
    };
  },
};

const resets: Attack = {
  name: "resets in requests and answers",
  async run({ httpPort }) {
    let sent = 0;
    for (const bytes of [
      head,
      `${head}Content-Length: 500\r\n\r\n{"surface":`,
      largest,
      largest.repeat(20),
    ]) {
      for (let i = 0; i < 500; i++) {
        const one = await openRaw(httpPort);
        one.write(bytes);
        if (i % 2 === 0) await delay(1);
        one.reset();
        sent++;
      }
    }
    return { sent: `${sent} connections`, findings: [] };
  },
};

export const slowHttp: readonly Attack[] = [
  dripping("headers, a byte a second", "POST /v1/rank HTTP/1.1\r\nHost: x\r\nX-Slow: ", "a"),
  dripping("a body, a byte a second", `${head}Content-Length: 1000\r\n\r\n`, "x"),
  dripping("a body that is announced and not sent", `${head}Content-Length: 1000000\r\n\r\n`, ""),
  dripping("chunks, a byte a second", `${head}Transfer-Encoding: chunked\r\n\r\n`, "1\r\nx\r\n"),
  unread,
  resets,
];

import { setTimeout as delay } from "node:timers/promises";
import { drawBelow, randomStream } from "../../src/simulation/random-stream.ts";
import { type Attack, atATime, leaksIn, type Victim } from "./attack.ts";
import { openRaw } from "./raw-connection.ts";

/** Connections at a time. */
const width = 8;

const post = "POST /v1/rank HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n";
/** Answered, it would be a request that only one side of a proxy saw. */
const smuggled = "GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n";

/** Requests that two readers could understand differently. */
const ambiguous: readonly string[] = [
  `${post}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${smuggled}`,
  `${post}Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n${smuggled}`,
  `${post}Content-Length: 0\r\nContent-Length: 44\r\n\r\n${smuggled}`,
  `${post}Content-Length: 0, 44\r\n\r\n${smuggled}`,
  `${post}Content-Length: +0\r\n\r\n${smuggled}`,
  `${post}Content-Length: 0x0\r\n\r\n${smuggled}`,
  `${post}Content-Length : 0\r\n\r\n${smuggled}`,
  `${post}Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n${smuggled}`,
  `${post}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n${smuggled}`,
  `${post}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n${smuggled}`,
  `${post}Transfer-Encoding:\x0bchunked\r\n\r\n0\r\n\r\n${smuggled}`,
  `${post}X: y\r\n Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n${smuggled}`,
  `${post}Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n${smuggled}`,
  `${post}Transfer-Encoding: chunked\r\n\r\n-1\r\n${smuggled}`,
  `${post}Transfer-Encoding: chunked\r\n\r\n0;${"x".repeat(100_000)}\r\n\r\n${smuggled}`,
  `${post}Transfer-Encoding: chunked\r\n\r\n1\nxx\n0\n\n${smuggled}`,
  "GET /livez HTTP/1.1\nHost: x\n\nGET /smuggled HTTP/1.1\nHost: x\n\n",
  `GET /livez HTTP/1.1\r\nHost: x\r\nX: a\rGET /smuggled HTTP/1.1\r\n\r\n`,
];

const odd: readonly string[] = [
  "GET /livez\r\n\r\n",
  "GET /livez HTTP/0.9\r\n\r\n",
  "GET /livez HTTP/9.9\r\nHost: x\r\n\r\n",
  "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
  "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
  "GET /livez HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n",
  "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: eA==\r\nSec-WebSocket-Version: 13\r\n\r\n",
  "CONNECT example.org:443 HTTP/1.1\r\nHost: example.org\r\n\r\n",
  "TRACE /livez HTTP/1.1\r\nHost: x\r\n\r\n",
  "OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n",
  "GET http://example.org/livez HTTP/1.1\r\nHost: x\r\n\r\n",
  `GET /${"a".repeat(1_000_000)} HTTP/1.1\r\nHost: x\r\n\r\n`,
  `GET /livez HTTP/1.1\r\nHost: x\r\n${"X: y\r\n".repeat(5_000)}\r\n`,
  `GET /livez HTTP/1.1\r\nHost: x\r\nX: ${"y".repeat(1_000_000)}\r\n\r\n`,
  `${post}Expect: 100-continue\r\nContent-Length: 2\r\n\r\n`,
  `${post}Expect: nonsense\r\nContent-Length: 2\r\n\r\n{}`,
  `${post}Content-Length: 99999999999999999999\r\n\r\n{}`,
  `${post}Content-Length: 9007199254740991\r\n\r\n{}`,
  `${post}Content-Length: -1\r\n\r\n{}`,
  `${post}Content-Length: 2\r\n\r\n{}{}{}{}{}`,
  `${post}Transfer-Encoding: chunked\r\n\r\n${"1\r\nx\r\n".repeat(100_000)}0\r\n\r\n`,
  `${post}Transfer-Encoding: gzip, chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n`,
  `${post}Trailer: X\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\nX: ${"y".repeat(50_000)}\r\n\r\n`,
  "GET /livez HTTP/1.1\r\nHost: x\r\n\0: y\r\n\r\n",
  "\r\n".repeat(100_000),
];

/** Sends it, waits a moment for what comes, and judges that. */
async function shape(port: number, bytes: string): Promise<readonly string[]> {
  const connection = await openRaw(port);
  connection.write(bytes);
  await connection.endsWithin(300);
  const answer = connection.received();
  connection.destroy();
  const head = JSON.stringify(bytes.slice(0, 90));
  return [
    ...leaksIn(answer),
    ...(/HTTP\/1.1 5/.test(answer) ? [`${answer.slice(0, 40)} to ${head}`] : []),
    ...(answer.includes("GET /smuggled") ? [`a smuggled request is answered: ${head}`] : []),
  ];
}

async function shapes(port: number, all: readonly string[]): Promise<readonly string[]> {
  const findings: string[] = [];
  await atATime(all.length, width, async (place) => {
    findings.push(...(await shape(port, all[place] as string)));
  });
  return findings;
}

const forms: Attack = {
  name: "requests to smuggle, and odd ones, on both ports",
  async run({ httpPort, grpcPort }: Victim) {
    const all = [...ambiguous, ...odd];
    return {
      sent: `${2 * all.length} connections`,
      findings: [...(await shapes(httpPort, all)), ...(await shapes(grpcPort, all))],
    };
  },
};

const garbage: Attack = {
  name: "random bytes, on both ports",
  async run({ httpPort, grpcPort }, { seed }) {
    const random = randomStream(seed, "garbage");
    const findings: string[] = [];
    const count = 1_000;
    await atATime(count, width, async (place) => {
      const connection = await openRaw(place % 2 === 0 ? httpPort : grpcPort);
      connection.write(Buffer.from(Array.from({ length: 512 }, () => drawBelow(random, 256))));
      await connection.endsWithin(20);
      findings.push(...leaksIn(connection.received()));
      connection.destroy();
    });
    return { sent: `${count} connections`, findings };
  },
};

/** 1,000 requests at once on each of twenty connections, read or not. */
const pipelined: Attack = {
  name: "1,000 requests sent ahead",
  async run({ httpPort }) {
    const paths = ["/livez", "/metrics", "/openapi.json", "/docs/yaml", "/docs/static/swagger-ui-bundle.js"];
    const findings: string[] = [];
    for (const path of paths) {
      for (let i = 0; i < 20; i++) {
        const connection = await openRaw(httpPort);
        if (i % 2 === 0) connection.pause();
        connection.write(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`.repeat(1_000));
        setTimeout(() => connection.destroy(), 3_000);
      }
    }
    await delay(3_500);
    return { sent: `${paths.length * 20} x 1,000 requests`, findings };
  },
};

const traversals: readonly string[] = [
  "..",
  "%2e%2e",
  "%252e%252e",
  "..%2f",
  "..%5c",
  "..%252f",
  "%c0%ae%c0%ae",
  "....//",
  "..%00",
  "%00",
  "..;",
  "%u002e%u002e",
];

const paths: Attack = {
  name: "paths out of the folder",
  async run({ httpPort }) {
    const roots = [
      "/",
      "/docs/",
      "/docs/static/",
      "/v1/experiments/",
      "/v1/models/",
      "/ofrep/v1/evaluate/flags/",
    ];
    const targets = ["package.json", "etc/passwd"];
    const all = roots.flatMap((root) =>
      traversals.flatMap((step) => targets.map((target) => `${root}${`${step}/`.repeat(8)}${target}`)),
    );
    const findings: string[] = [];
    await atATime(all.length, width, async (place) => {
      const path = all[place] as string;
      const connection = await openRaw(httpPort);
      connection.write(`GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
      await connection.endsWithin(2_000);
      const answer = connection.received();
      connection.destroy();
      findings.push(...leaksIn(answer.replaceAll(path, "")));
      if (/^HTTP\/1.1 5/.test(answer)) findings.push(`${answer.slice(9, 12)} for ${path}`);
      if (/"dependencies"|^root:/m.test(answer)) findings.push(`a file is shown for ${path}`);
    });
    return { sent: `${all.length} paths`, findings };
  },
};

export const shapedHttp: readonly Attack[] = [forms, garbage, pipelined, paths];

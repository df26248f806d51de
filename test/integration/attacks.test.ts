/** The attacks of `npm run loadtest:attack` that are over in seconds, on a server in a process of its own. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { type AskedProcess, startAskedProcess } from "../../loadtest/asked-process.ts";
import { grpcCalls } from "../../loadtest/attacks/grpc-calls.ts";
import { shapedHttp } from "../../loadtest/attacks/http-shapes.ts";
import { http2Floods } from "../../loadtest/attacks/http2-floods.ts";
import { mutations } from "../../loadtest/attacks/mutations.ts";
import { observeAttack } from "../../loadtest/attacks/observed-attack.ts";
import { type ServerProcess, startServerProcess } from "../../src/app/server-process.ts";
import { suiteFolder } from "../support/temporary-folder.ts";

const scale = { seed: 1, connections: 100, holdSeconds: 1, httpInputs: 2_000, grpcInputs: 1_000 };
const all = [...shapedHttp, ...http2Floods, ...grpcCalls, ...mutations];

let folder: Awaited<ReturnType<typeof suiteFolder>>;
let server: ServerProcess;
let canary: AskedProcess;
beforeAll(async () => {
  folder = await suiteFolder();
  server = await startServerProcess({ dataDir: folder.path });
  canary = await startAskedProcess("attacks/canary-process.ts");
  await canary.ask({ httpPort: server.httpPort, grpcPort: server.grpcPort });
}, 120_000);
afterAll(async () => {
  await canary.close();
  const exitCode = await server.stop();
  await folder.remove();
  expect(exitCode).toBe(0);
});

test.each([
  "requests to smuggle, and odd ones, on both ports",
  "1,000 requests sent ahead",
  "paths out of the folder",
  "HTTP/2: rapid reset",
  "HTTP/2: rapid reset of what is not offered",
  "HTTP/2: CONTINUATION without end",
  "HTTP/2: HPACK bomb",
  "HTTP/2: PING, answers not read",
  "gRPC: calls that are wrong",
  "HTTP requests, mutated",
  "gRPC messages, mutated",
])(
  "%s: the server holds, and its other clients are answered",
  async (name) => {
    const attack = all.find((one) => one.name === name);
    if (attack === undefined) throw new Error(`no attack is called ${name}`);
    expect((await observeAttack(attack, server, scale, canary)).findings).toEqual([]);
  },
  120_000,
);

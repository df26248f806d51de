import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { callServer } from "../../src/client/server-call.ts";

const notSetlist =
  /^http:\/\/127\.0\.0\.1:\d+ answers \d+, and not as a Setlist server does; name one with --url$/;

async function urlOf(answer: (response: ServerResponse) => void): Promise<string> {
  const server = createServer((_, response) => answer(response)).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const asked = async (answer: (response: ServerResponse) => void): Promise<unknown> =>
  callServer(await urlOf(answer), "GET", "/v1/experiments", "experiments");

test.each([
  [200, "{}"],
  [200, "null"],
  [200, "[]"],
  [200, '"experiments"'],
  [200, "<html>"],
  [200, ""],
  [404, "null"],
  [400, '{"code":{},"detail":{}}'],
])("what else answers %i %s is no Setlist server, in a sentence", async (status, text) => {
  await expect(asked((response) => response.writeHead(status).end(text))).rejects.toThrow(notSetlist);
});

test("an answer without an end is not read on for ever, nor one that breaks off", async () => {
  const megabyte = Buffer.alloc(1024 * 1024, "x");
  let sent = 0;
  const endless = asked((response) => {
    const more = (): void => {
      sent++;
      response.write(megabyte, (error) => error || more());
    };
    more();
  });
  await expect(endless).rejects.toThrow(notSetlist);
  expect(sent).toBeLessThan(400);
  const broken = asked((response) => {
    response.writeHead(200, { "content-length": 1000 });
    response.write("{", () => response.destroy());
  });
  await expect(broken).rejects.toThrow(notSetlist);
});

test("a server's own refusal is said in its words", async () => {
  const refused = asked((response) =>
    response.writeHead(404).end('{"code":"NOT_FOUND","detail":"id: no such experiment"}'),
  );
  await expect(refused).rejects.toMatchObject({ code: "NOT_FOUND", message: "id: no such experiment" });
});

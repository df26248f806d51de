import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseAnswer, postRequest } from "../../loadtest/http-connection.ts";

function answerOf(status: number, body: string, more = ""): Buffer {
  return Buffer.from(
    `HTTP/1.1 ${status} Words\r\nContent-Length: ${Buffer.byteLength(body)}\r\n${more}\r\n${body}`,
  );
}

describe("an HTTP answer", () => {
  it("is not whole before its last byte, and whole with it", () => {
    fc.assert(
      fc.property(fc.integer({ min: 100, max: 599 }), fc.string({ unit: "grapheme" }), (status, body) => {
        const bytes = answerOf(status, body);
        for (let end = 0; end < bytes.length; end++)
          expect(parseAnswer(bytes.subarray(0, end))).toBeUndefined();
        const answer = parseAnswer(bytes);
        expect(answer?.status).toBe(status);
        expect(answer?.body.toString()).toBe(body);
      }),
    );
  });

  it("says whether the connection ends with it", () => {
    expect(parseAnswer(answerOf(200, "{}", "connection: close\r\n"))?.closes).toBe(true);
    expect(parseAnswer(answerOf(200, "{}", "connection: keep-alive\r\n"))?.closes).toBe(false);
  });

  it("is refused where its end cannot be known", () => {
    expect(() => parseAnswer(Buffer.from("HTTP/1.1 200 OK\r\nx: y\r\n\r\n"))).toThrow(/content-length/);
  });
});

describe("a ready-made request", () => {
  it("states the length of its body in bytes", () => {
    const request = postRequest("host:1", "/v1/rank", { name: "é" }).toString();
    expect(request).toBe(
      'POST /v1/rank HTTP/1.1\r\nhost: host:1\r\ncontent-type: application/json\r\ncontent-length: 13\r\n\r\n{"name":"é"}',
    );
  });
});

import { randomFillSync } from "node:crypto";
import { v7 } from "uuid";

/**
 * A new id (UUIDv7) for a request that brings none. Its random bytes are drawn by the page: one request at a time they
 * cost more than the rest of the id (1.75 us against 0.27; Node 24, same run).
 */
export function newRequestId(): string {
  return v7({ rng: nextRandomBytes });
}

const bytesEach = 16;
const page = Buffer.alloc(256 * bytesEach);
let at = page.length;

function nextRandomBytes(): Uint8Array {
  if (at === page.length) {
    randomFillSync(page);
    at = 0;
  }
  at += bytesEach;
  return page.subarray(at - bytesEach, at);
}

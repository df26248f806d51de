import { randomInt } from "node:crypto";
import { createServer } from "node:net";

/** Below what systems hand out by themselves, so that no connection of a test beside this one takes it in between. */
const [first, end] = [10_000, 32_000];

/** A port of the loopback that nobody has at this moment. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(first, end);
    if (await isFree(port)) return port;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}

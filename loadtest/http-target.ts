import { type HttpConnection, openHttpConnection } from "./http-connection.ts";
import { type Answer, noAnswer, type Target } from "./target.ts";

const degradedMark = Buffer.from('"degraded":["');

/** What a request's failure is called that found no connection in time. */
export const noConnection = "no connection";

/**
 * HTTP over a fixed number of connections; a request that finds none free waits, and the wait is its own.
 * @param patienceMs after which it fails instead, as a frontend's would that has to show something.
 */
export function httpTarget(url: string, connections: number, patienceMs = Number.POSITIVE_INFINITY): Target {
  const { hostname, port } = new URL(url);
  const all = Array.from({ length: connections }, () => openHttpConnection(hostname, Number(port || 80)));
  const free: HttpConnection[] = [...all];
  /** In the order of their coming. A set: taking the first of a long array would move all the others. */
  const waiting = new Set<Waiting>();

  function release(connection: HttpConnection): void {
    giveUp();
    const [next] = waiting;
    if (next === undefined) {
      free.push(connection);
      return;
    }
    waiting.delete(next);
    next.take(connection);
  }

  function giveUp(): void {
    const before = performance.now() - patienceMs;
    for (const one of waiting) {
      if (one.since > before) break;
      waiting.delete(one);
      one.take(undefined);
    }
  }

  function wait(): Promise<HttpConnection | undefined> {
    giveUp();
    // For the last one, whom nobody comes after.
    if (Number.isFinite(patienceMs)) setTimeout(giveUp, patienceMs + 1).unref();
    return new Promise((take) => waiting.add({ since: performance.now(), take }));
  }

  return {
    name: `HTTP ${url}`,
    async send(request): Promise<Answer> {
      const connection = free.pop() ?? (await wait());
      if (connection === undefined) return noAnswer(noConnection);
      try {
        const { status, body } = await connection.send(request);
        const ok = status === 200;
        return { ok, code: String(status), degraded: ok && body.includes(degradedMark), body };
      } catch (error) {
        return noAnswer((error as { code?: string }).code ?? (error as Error).message);
      } finally {
        release(connection);
      }
    },
    close() {
      for (const connection of all) connection.close();
    },
  };
}

interface Waiting {
  /** Monotonic ms. */
  readonly since: number;
  /** Called once, without a connection where there was none in time. */
  readonly take: (connection: HttpConnection | undefined) => void;
}

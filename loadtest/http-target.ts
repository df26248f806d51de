import { type HttpConnection, openHttpConnection } from "./http-connection.ts";
import { type Answer, noAnswer, type Target } from "./target.ts";

const degradedMark = Buffer.from('"degraded":["');

/** HTTP over a fixed number of connections; a request that finds none free waits, and the wait is its own. */
export function httpTarget(url: string, connections: number): Target {
  const { hostname, port } = new URL(url);
  const all = Array.from({ length: connections }, () => openHttpConnection(hostname, Number(port || 80)));
  const free: HttpConnection[] = [...all];
  const waiting: ((connection: HttpConnection) => void)[] = [];

  function release(connection: HttpConnection): void {
    const next = waiting.shift();
    if (next === undefined) free.push(connection);
    else next(connection);
  }

  return {
    name: `HTTP ${url}`,
    async send(request): Promise<Answer> {
      const connection =
        free.pop() ?? (await new Promise<HttpConnection>((resolve) => waiting.push(resolve)));
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

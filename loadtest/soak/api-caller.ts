import type { Ledger } from "./ledger.ts";

/** What the server answered. */
export interface Called {
  readonly status: number;
  readonly text: string;
}

/** One HTTP call at a time of somebody who is no listener; entered into the ledger as the server counts it. */
export interface ApiCaller {
  /**
   * @param route with names in place of what varies, as the server's metrics have it.
   * @param path with what stands there; the route where undefined.
   */
  call(
    method: "GET" | "POST" | "PUT",
    route: string,
    path?: string,
    body?: object,
    ifMatch?: number,
  ): Promise<Called>;
}

/** Who stands in the history of what this load changes. */
export const actor = "soak";

export function createApiCaller(url: string, ledger: Ledger): ApiCaller {
  return {
    async call(method, route, path = route, body, ifMatch) {
      const response = await fetch(`${url}${path}`, {
        method,
        headers: {
          "setlist-actor": actor,
          ...(body === undefined ? {} : { "content-type": "application/json" }),
          ...(ifMatch === undefined ? {} : { "if-match": String(ifMatch) }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const text = await response.text();
      ledger.add(`request http ${route} ${response.status}`);
      return { status: response.status, text };
    },
  };
}

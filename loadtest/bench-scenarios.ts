import type { ClosedLoopOrder } from "./closed-loop-client.ts";

/** Who is asked, and how: one line of the benchmark. */
export interface Scenario {
  readonly id: ScenarioId;
  readonly label: string;
  readonly server: ServerName;
  readonly order: Omit<ClosedLoopOrder, "address" | "seconds">;
}

/** FastAPI takes part where its environment is there. */
export type ServerName = "setlist" | "plain" | "fastapi";

export const serverNames: Readonly<Record<ServerName, string>> = {
  setlist: "Setlist",
  plain: "plain",
  fastapi: "FastAPI",
};

export type FastapiScenarioId = "fastapiHttp200x1" | "fastapiHttp200x16";

export type ScenarioId =
  | FastapiScenarioId
  | "setlistHttp200x32"
  | "setlistGrpc200x32"
  | "setlistStream200x32"
  | "setlistHttp200x1"
  | "setlistGrpc200x1"
  | "setlistStream200x1"
  | "plainHttp200x1"
  | "setlistHttp10x16"
  | "plainHttp10x16"
  | "setlistHttp200x16"
  | "plainHttp200x16";

/** Items that a frontend shows. Every server answers with so many. */
const limit = 20;

const protocolNames = { http: "HTTP", grpc: "gRPC", stream: "gRPC stream" } as const;

/** In the order in which a round runs them: what is compared stands side by side, so that both get the same minute. */
export const scenarios: readonly Scenario[] = [
  scenario("setlistHttp200x32", "setlist", "http", 32, 200),
  scenario("setlistGrpc200x32", "setlist", "grpc", 32, 200),
  scenario("setlistStream200x32", "setlist", "stream", 32, 200),
  scenario("setlistHttp200x1", "setlist", "http", 1, 200),
  scenario("setlistGrpc200x1", "setlist", "grpc", 1, 200),
  scenario("setlistStream200x1", "setlist", "stream", 1, 200),
  scenario("plainHttp200x1", "plain", "http", 1, 200),
  scenario("fastapiHttp200x1", "fastapi", "http", 1, 200),
  scenario("setlistHttp10x16", "setlist", "http", 16, 10),
  scenario("plainHttp10x16", "plain", "http", 16, 10),
  scenario("setlistHttp200x16", "setlist", "http", 16, 200),
  scenario("plainHttp200x16", "plain", "http", 16, 200),
  scenario("fastapiHttp200x16", "fastapi", "http", 16, 200),
];

/** @param inFlight requests at a time: one a connection, but over a stream all of them on one call. */
function scenario(
  id: ScenarioId,
  server: Scenario["server"],
  protocol: ClosedLoopOrder["protocol"],
  inFlight: number,
  candidates: number,
): Scenario {
  const unit = protocol === "stream" ? "in flight" : inFlight === 1 ? "connection" : "connections";
  return {
    id,
    label: `${serverNames[server]}, ${protocolNames[protocol]}, ${candidates} candidates, ${inFlight} ${unit}`,
    server,
    order: { protocol, inFlight, candidates, limit: Math.min(limit, candidates) },
  };
}

import type { Experiment } from "../domain/experiment.ts";
import type { ExperimentHealth } from "../domain/experiment-health.ts";
import { headerText } from "../domain/header-text.ts";
import type { KillSwitch } from "../domain/store-state.ts";
import type { By, ExperimentPlace, MadeChange, SurfaceView, WrittenExperiment } from "../rollout/rollout.ts";
import { callServer } from "./server-call.ts";

type WrittenAnswer = Experiment & { readonly change: MadeChange };

/** The experiments of a running server, as it says and changes them over HTTP; its refusals are thrown as they are. */
export class RunningServerPlace implements ExperimentPlace {
  readonly #url: string;

  constructor(url: string) {
    this.#url = url;
  }

  async list(): ReturnType<ExperimentPlace["list"]> {
    return ((await this.#get("/v1/experiments", "experiments")) as { experiments: Experiment[] }).experiments;
  }

  async doubt(): Promise<string | undefined> {
    const { stale } = (await this.#get("/v1/experiments", "experiments")) as {
      stale?: { readonly since: string; readonly reason: string };
    };
    return (
      stale && `These are the experiments of ${stale.since}: their store cannot be asked (${stale.reason}).`
    );
  }

  async get(id: string): Promise<Experiment> {
    return (await this.#get(pathOf(id), "arms")) as Experiment;
  }

  async history(id: string): ReturnType<ExperimentPlace["history"]> {
    const { revisions } = (await this.#get(`${pathOf(id)}/history`, "revisions")) as {
      revisions: Awaited<ReturnType<ExperimentPlace["history"]>>;
    };
    return revisions;
  }

  /** Only a server that runs looks after its experiments: no other place has this. */
  async health(id: string): Promise<ExperimentHealth> {
    return (await this.#get(`${pathOf(id)}/health`, "guardrails")) as ExperimentHealth;
  }

  async surfaces(): ReturnType<ExperimentPlace["surfaces"]> {
    return ((await this.#get("/v1/surfaces", "surfaces")) as { surfaces: SurfaceView[] }).surfaces;
  }

  async readSwitch(): Promise<KillSwitch> {
    return (await this.#get("/v1/kill-switch", "on")) as KillSwitch;
  }

  create: ExperimentPlace["create"] = (written, by) =>
    this.#write("POST", "/v1/experiments", by, { body: written });

  replace: ExperimentPlace["replace"] = (id, revision, written, by) =>
    this.#write("PUT", pathOf(id), by, { revision, body: written });

  move: ExperimentPlace["move"] = (move, id, revision, winner, by) =>
    this.#write("POST", `${pathOf(id)}/${move}`, by, {
      revision,
      ...(winner !== undefined && { body: { winner } }),
    });

  ship: ExperimentPlace["ship"] = (id, revision, arm, by) =>
    this.#write("POST", `${pathOf(id)}/ship`, by, { revision, ...(arm !== undefined && { body: { arm } }) });

  kill: ExperimentPlace["kill"] = (id, revision, reason, by) =>
    this.#write("POST", `${pathOf(id)}/kill`, by, { revision, body: { reason } });

  revive: ExperimentPlace["revive"] = (id, revision, by) =>
    this.#write("POST", `${pathOf(id)}/revive`, by, { revision });

  import: ExperimentPlace["import"] = async (documents, by) => {
    const answer = (await this.#ask("PUT", "/v1/experiments", by, "experiments", {
      body: { experiments: documents },
    })) as { experiments: WrittenAnswer[] };
    return answer.experiments.map(writtenOf);
  };

  killSwitch: ExperimentPlace["killSwitch"] = async ({ on, reason, revision }, by) => {
    const answer = await this.#ask("POST", "/v1/kill-switch", by, "change", {
      revision,
      body: { on, ...(reason !== "" && { reason }) },
    });
    const { change, ...killSwitch } = answer as KillSwitch & { change: MadeChange };
    return { killSwitch, change };
  };

  restore: ExperimentPlace["restore"] = async (surface, revision, by) => {
    const path = `/v1/surfaces/${encodeURIComponent(surface)}/restore`;
    return (await this.#ask("POST", path, by, "change", { revision })) as { change: MadeChange };
  };

  async close(): Promise<void> {}

  #get(path: string, has: string): Promise<unknown> {
    return callServer(this.#url, "GET", path, has);
  }

  async #write(
    method: "POST" | "PUT",
    path: string,
    by: By,
    sent: { readonly revision?: number | undefined; readonly body?: unknown },
  ): Promise<WrittenExperiment> {
    return writtenOf((await this.#ask(method, path, by, "change", sent)) as WrittenAnswer);
  }

  #ask(
    method: "POST" | "PUT",
    path: string,
    { who, dryRun, confirmed = [] }: By,
    has: string,
    { revision, body }: { readonly revision?: number | undefined; readonly body?: unknown },
  ): Promise<unknown> {
    const query = new URLSearchParams({
      ...(dryRun === true && { dryRun: "true" }),
      ...(confirmed.length > 0 && { confirm: confirmed.join(",") }),
    });
    return callServer(this.#url, method, query.size === 0 ? path : `${path}?${query}`, has, {
      headers: {
        "setlist-actor": headerText(who),
        ...(revision !== undefined && { "if-match": String(revision) }),
      },
      ...(body !== undefined && { body: body as object }),
    });
  }
}

function pathOf(id: string): string {
  return `/v1/experiments/${encodeURIComponent(id)}`;
}

function writtenOf({ change, ...experiment }: WrittenAnswer): WrittenExperiment {
  return { experiment, change };
}

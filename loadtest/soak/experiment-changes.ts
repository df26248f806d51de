import { setTimeout as delay } from "node:timers/promises";
import type { ApiCaller, Called } from "./api-caller.ts";
import { label, labelledModel } from "./model-releases.ts";

/** A revision of an experiment that the server has acknowledged. */
export interface AcknowledgedRevision {
  readonly experiment: string;
  readonly revision: number;
}

export interface ExperimentChanges {
  readonly acknowledged: readonly AcknowledgedRevision[];
  /** What was answered with neither 2xx nor 409. */
  readonly refused: readonly string[];
  /** Experiments that were to be killed by their guardrail. */
  readonly guarded: readonly string[];
  /** One life of an experiment after the other, a change every `pauseMs`, until the signal. */
  run(pauseMs: number, signal: AbortSignal): Promise<void>;
}

const surface = "radio";
const attemptsMax = 5;

/**
 * Experiments on the radio surface that are created, edited, started, ramped by the server, changed while they run,
 * killed, revived, concluded, shipped and taken back again; every second one instead has a guardrail that its arm cannot
 * keep, and is to be killed by the server.
 */
export function createExperimentChanges({ call }: ApiCaller): ExperimentChanges {
  const acknowledged: AcknowledgedRevision[] = [];
  const refused: string[] = [];
  const guarded: string[] = [];

  function enter(id: string, what: string, { status, text }: Called): Called {
    if (status < 300)
      acknowledged.push({ experiment: id, revision: (JSON.parse(text) as { revision: number }).revision });
    else if (status !== 409) refused.push(`${id} ${what}: ${status} ${text.slice(0, 200)}`);
    return { status, text };
  }

  async function read(id: string): Promise<{ revision: number }> {
    return JSON.parse((await call("GET", "/v1/experiments/:id", `/v1/experiments/${id}`)).text) as {
      revision: number;
    };
  }

  /** With the revision that stands; again where the server's own ramp came between. */
  async function write(
    id: string,
    what: string,
    ask: (document: { revision: number }) => Promise<Called>,
  ): Promise<void> {
    for (let attempt = 1; attempt <= attemptsMax; attempt++) {
      const { status } = enter(id, what, await ask(await read(id)));
      if (status !== 409) return;
    }
    refused.push(`${id} ${what}: 409 ${attemptsMax} times`);
  }

  const move = (id: string, verb: string, body?: object): Promise<void> =>
    write(id, verb, ({ revision }) =>
      call("POST", `/v1/experiments/:id/${verb}`, `/v1/experiments/${id}/${verb}`, body, revision),
    );
  const edit = (id: string, change: object, confirm = ""): Promise<void> =>
    write(id, "put", (document) =>
      call(
        "PUT",
        "/v1/experiments/:id",
        `/v1/experiments/${id}${confirm}`,
        { ...document, ...change },
        document.revision,
      ),
    );

  async function create(id: string, more: object): Promise<void> {
    const document = {
      ...{ id, surface, layer: `${surface}-soak`, description: "One of many.", ...more },
      arms: arms(1),
      metrics: [{ id: "clicks", type: "mean", outcome: "click", role: "primary" }],
    };
    enter(id, "create", await call("POST", "/v1/experiments", "/v1/experiments", document));
  }

  async function restoreSurface(): Promise<void> {
    const { text } = await call("GET", "/v1/surfaces");
    const { surfaces } = JSON.parse(text) as { surfaces: { surface: string; revision: number }[] };
    const { revision } = surfaces.find((one) => one.surface === surface) ?? { revision: 0 };
    const route = "/v1/surfaces/:surface/restore";
    const { status, text: answer } = await call(
      "POST",
      route,
      `/v1/surfaces/${surface}/restore`,
      undefined,
      revision,
    );
    if (status >= 300) refused.push(`restore: ${status} ${answer.slice(0, 200)}`);
  }

  function lifeOf(id: string): readonly (() => Promise<void>)[] {
    return [
      () => create(id, { ramp }),
      () => edit(id, { description: "One of many, edited." }),
      () => move(id, "start"),
      // The server takes the ramp's steps meanwhile.
      async () => undefined,
      async () => undefined,
      () => edit(id, { arms: arms(2) }, "?confirm=new-phase"),
      () => move(id, "kill", { reason: "a drill" }),
      () => move(id, "revive"),
      () => move(id, "stop", { winner: "kd" }),
      () => move(id, "ship"),
      restoreSurface,
    ];
  }

  function guardedLifeOf(id: string): readonly (() => Promise<void>)[] {
    return [
      () => create(id, { traffic: 1, guardrails: [unkeepable] }),
      () => move(id, "start"),
      async () => undefined,
      async () => undefined,
      async () => {
        guarded.push(id);
        await move(id, "stop");
      },
    ];
  }

  return {
    acknowledged,
    refused,
    guarded,
    async run(pauseMs, signal) {
      for (let life = 1; !signal.aborted; life++) {
        const id = `soak-${life}`;
        for (const step of life % 2 === 0 ? guardedLifeOf(id) : lifeOf(id)) {
          await step();
          await delay(pauseMs, undefined, { signal }).catch(() => undefined);
          if (signal.aborted) return;
        }
      }
    },
  };
}

const ramp = [{ traffic: 0.2, for: "5s" }, { traffic: 0.6, for: "5s" }, { traffic: 1 }];
/** No ranking takes so little. */
const unkeepable = { kind: "latency-p99", maxMs: 0.01, action: "rollback", minimum: 30 };

function arms(weight: number): readonly object[] {
  return [
    { id: "control", control: true, weight: 1, model: { name: "radio-control" } },
    { id: "kd", weight, model: { name: labelledModel, label } },
  ];
}

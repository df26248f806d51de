import { canonicalJson } from "../domain/canonical-json.ts";
import type { Experiment } from "../domain/experiment.ts";
import type { KillSwitch } from "../domain/store-state.ts";

/**
 * Why a running experiment would show nobody its arms, or arms that are all the same, or take the units of others that
 * run: a sentence each, none where it acts and leaves them alone.
 * No reason to refuse it, since each of these may be meant, and may change without it.
 */
export function startWarnings(
  experiment: Experiment,
  all: readonly Experiment[],
  killSwitch: KillSwitch,
): readonly string[] {
  const { id, surface, layer, traffic, ramp, killed } = experiment;
  const others = all.filter((other) => other.id !== id);
  const weighed = experiment.arms.filter(({ weight }) => weight > 0);
  const shown = new Set(weighed.map(({ model, valueModel }) => canonicalJson({ model, valueModel })));
  const rivals = others.filter((other) => shows(other, surface) && other.layer !== layer);
  const first = rivals.find((other) => other.id < id);
  const overtaken = rivals.filter((other) => other.id > id).map((other) => other.id);
  const waiting = (experiment.prerequisites ?? []).find(
    ({ experiment: asked }) => others.find((other) => other.id === asked)?.status !== "running",
  );
  return [
    killSwitch.on && "the kill switch is on, and nobody is assigned until it is off",
    killed !== undefined && "it is killed, and nobody is assigned until it is revived",
    traffic === 0 && ramp === undefined && "its traffic is 0, and nobody enters it",
    waiting &&
      `it asks for an arm of ${waiting.experiment}, which does not run, and nobody enters it until then`,
    weighed.length < 2 &&
      `only ${weighed[0]?.id ?? "no arm"} has a weight, and there is nothing to compare it with`,
    weighed.length > 1 && shown.size < 2 && "its arms have the same model and value model, and show the same",
    first &&
      `${first.id} runs on surface ${surface} too, in layer ${first.layer}, and stands before it in the order of ids: units that are in both get the model of ${first.id}; give both the same layer`,
    overtaken.length > 0 &&
      `it stands before ${overtaken.join(", ")} on surface ${surface} in the order of ids, in another layer: units that are in both get the model of ${id}, and count for it alone; give them the same layer`,
  ].filter((sentence) => typeof sentence === "string");
}

function shows({ surface, status, traffic, killed }: Experiment, asked: string): boolean {
  return surface === asked && status === "running" && traffic > 0 && killed === undefined;
}

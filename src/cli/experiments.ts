import { Command } from "commander";
import { RunningServerPlace } from "../client/client.ts";
import { yamlText } from "../config.ts";
import { httpAddress } from "./argument.ts";
import { exchangeCommands } from "./experiment-exchange.ts";
import { renderHealth } from "./experiment-health.ts";
import { at, type PlaceFlags, print, withPlaceFlags } from "./experiment-place-flags.ts";
import { renderHistory, renderList, renderSurfaces } from "./experiment-tables.ts";
import { writeCommands } from "./experiment-writes.ts";

/** `setlist experiments`: what runs, what was ever changed, and changing it. */
export function experimentsCommand(): Command {
  const group = new Command("experiments")
    .description("List, show and change the experiments of a running server, or of a data directory.")
    .helpCommand(false);
  for (const command of [...readCommands(), ...writeCommands(), ...exchangeCommands()]) {
    group.addCommand(withPlaceFlags(command));
  }
  return group.addCommand(healthCommand());
}

function lineOf(sentence: string | undefined): string {
  return sentence === undefined ? "" : `${sentence}\n`;
}

function healthCommand(): Command {
  return new Command("health")
    .description("Show how its guardrails and its ramp are, which only a running server knows.")
    .argument("<ID>", "the experiment")
    .option("--url <URL>", "a running server", httpAddress, "http://127.0.0.1:8080")
    .option("--json", "print the answer as JSON, as the API gives it")
    .action(async (id: string, flags: PlaceFlags & { readonly url: string }) => {
      const seen = await new RunningServerPlace(flags.url).health(id);
      print(flags, seen, () => renderHealth(seen));
    });
}

function readCommands(): Command[] {
  const list = new Command("list").description("List every experiment.").action((flags: PlaceFlags) =>
    at(flags, async (place) => {
      const [experiments, killSwitch] = [await place.list(), await place.readSwitch()];
      const doubt = await place.doubt();
      print(flags, { experiments }, () => renderList(experiments, killSwitch) + lineOf(doubt));
    }),
  );
  const show = new Command("show")
    .description("Show one experiment, whole, as YAML.")
    .argument("<ID>", "the experiment")
    .action((id: string, flags: PlaceFlags) =>
      at(flags, async (place) => {
        const experiment = await place.get(id);
        print(flags, experiment, () => yamlText(experiment));
      }),
    );
  const history = new Command("history")
    .description("List every revision: who wrote it, when and what.")
    .argument("<ID>", "the experiment")
    .action((id: string, flags: PlaceFlags) =>
      at(flags, async (place) => {
        const revisions = await place.history(id);
        print(flags, { revisions }, () => renderHistory(revisions));
      }),
    );
  const surfaces = new Command("surfaces")
    .description("Show what serves each surface where no experiment does, and who says so.")
    .action((flags: PlaceFlags) =>
      at(flags, async (place) => {
        const views = await place.surfaces();
        print(flags, { surfaces: views }, () => renderSurfaces(views));
      }),
    );
  return [list, show, history, surfaces];
}

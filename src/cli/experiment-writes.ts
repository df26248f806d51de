import { existsSync } from "node:fs";
import { Command, InvalidArgumentError } from "commander";
import { readWrittenExperiment } from "../config.ts";
import { UsageError } from "../domain/error.ts";
import type { Experiment } from "../domain/experiment.ts";
import { type Confirmation, confirmations, startWarnings } from "../experiments/experiments.ts";
import type { By, ExperimentPlace, MadeChange, WrittenExperiment } from "../rollout/rollout.ts";
import { expectAgreement } from "./agreement.ts";
import { renderFields, renderWrite } from "./experiment-diff.ts";
import { at, type PlaceFlags, print } from "./experiment-place-flags.ts";
import { whoRuns } from "./who-runs.ts";

export interface WriteFlags extends PlaceFlags {
  readonly dryRun?: boolean;
  readonly yes?: boolean;
  readonly confirmNewPhase?: boolean;
  readonly confirmLessTraffic?: boolean;
}

/** The subcommands that change experiments: each shows the difference first, and asks where there is a terminal. */
export function writeCommands(): Command[] {
  return [
    ...documentCommands(),
    ...moveCommands(),
    ...killCommands(),
    new Command("restore")
      .description("Serve a surface by the configuration's default again, in place of what was shipped.")
      .argument("<SURFACE>", "the surface")
      .action((surface: string, flags: WriteFlags) =>
        at(flags, async (place) => {
          const standing = (await place.surfaces()).find((one) => one.surface === surface);
          const revision = standing?.revision ?? 0;
          await writeOther(flags, `surface ${surface}`, (by) => place.restore(surface, revision, by));
        }),
      ),
  ].map(withWriteFlags);
}

export function withWriteFlags(command: Command): Command {
  return command
    .option("--dry-run", "show what would change, and write nothing")
    .option("-y, --yes", "do not ask (default: ask where there is a terminal)");
}

function documentCommands(): Command[] {
  const create = new Command("create")
    .description("Create an experiment, a draft, from a YAML or JSON file.")
    .argument("<FILE>", "the document")
    .action((file: string, flags: WriteFlags) => {
      const { written } = readWrittenExperiment(file);
      return at(flags, (place) => writeOne(place, flags, undefined, (by) => place.create(written, by)));
    });
  const update = new Command("update")
    .description("Replace an experiment by the document of a file, or set its traffic.")
    .argument("<FILE|ID>", "the document; with --traffic, the experiment's id")
    .option("--traffic <SHARE>", "of its layer, from 0 to 1 (default: as the document says)", share)
    .option("--confirm-new-phase", "agree that one that has begun starts a new phase")
    .option("--confirm-less-traffic", "agree that traffic goes down")
    .action((what: string, flags: WriteFlags & { readonly traffic?: number }) =>
      at(flags, async (place) => {
        const { traffic } = flags;
        const file = traffic === undefined ? readWrittenExperiment(existingFile(what)) : undefined;
        const standing = await place.get(file?.document.id ?? what);
        const written = file === undefined ? { ...standing, traffic } : file.written;
        const revision = file?.revision ?? standing.revision;
        await writeOne(place, flags, standing, (by) => place.replace(standing.id, revision, written, by));
      }),
    );
  return [create, update];
}

function moveCommands(): Command[] {
  const moves = [
    ["start", "Start a draft, or one that is paused or stopped."],
    ["pause", "Pause it: nobody is assigned, and everyone is back in the same arm when it starts again."],
  ] as const;
  const stop = new Command("stop")
    .description("Stop it, and give its part of the layer back.")
    .argument("<ID>", "the experiment")
    .option("--winner <ARM>", "the arm that it is stopped for (default: none)")
    .action((id: string, flags: WriteFlags & { readonly winner?: string }) =>
      standing(id, flags, (place, { revision }, by) => place.move("stop", id, revision, flags.winner, by)),
    );
  const ship = new Command("ship")
    .description("Make an arm the surface's default, and stop the experiment.")
    .argument("<ID>", "the experiment")
    .option("--arm <ARM>", "the arm (default: the winner)")
    .action((id: string, flags: WriteFlags & { readonly arm?: string }) =>
      standing(id, flags, (place, { revision }, by) => place.ship(id, revision, flags.arm, by)),
    );
  return [
    ...moves.map(([move, description]) =>
      new Command(move)
        .description(description)
        .argument("<ID>", "the experiment")
        .action((id: string, flags: WriteFlags) =>
          standing(id, flags, (place, { revision }, by) => place.move(move, id, revision, undefined, by)),
        ),
    ),
    stop,
    ship,
  ];
}

function killCommands(): Command[] {
  const kill = new Command("kill")
    .description("Give everyone the surface's default at once. Never asks.")
    .argument("<ID>", "the experiment")
    .requiredOption("--reason <TEXT>", "why, for whoever finds it off; needed")
    .action((id: string, flags: WriteFlags & { readonly reason: string }) =>
      standing(id, { ...flags, yes: true }, (place, _standing, by) =>
        place.kill(id, undefined, flags.reason, by),
      ),
    );
  const revive = new Command("revive")
    .description("Take a kill back.")
    .argument("<ID>", "the experiment")
    .action((id: string, flags: WriteFlags) =>
      standing(id, flags, (place, { revision }, by) => place.revive(id, revision, by)),
    );
  const killSwitch = new Command("kill-switch")
    .description("Turn all experiments off at once, or on again: the switch is on while they are off.")
    .argument("<POSITION>", "on or off")
    .option("--reason <TEXT>", "why, for whoever finds them off; needed with on")
    .action((position: string, flags: WriteFlags & { readonly reason?: string }) => {
      if (position !== "on" && position !== "off")
        throw new UsageError(`POSITION: expected on or off, got ${position}`);
      const on = position === "on";
      const { reason = "" } = flags;
      if (on && reason === "") throw new UsageError("--reason: expected with on, but missing");
      return at(flags, async (place) => {
        const { revision } = await place.readSwitch();
        await writeOther({ ...flags, yes: on || flags.yes === true }, "kill switch", (by) =>
          place.killSwitch({ on, reason, revision: on ? undefined : revision }, by),
        );
      });
    });
  return [kill, revive, killSwitch];
}

function standing(
  id: string,
  flags: WriteFlags,
  write: (place: ExperimentPlace, standing: Experiment, by: By) => Promise<WrittenExperiment>,
): Promise<void> {
  return at(flags, async (place) => {
    const now = await place.get(id);
    await writeOne(place, flags, now, (by) => write(place, now, by));
  });
}

async function writeOne(
  place: ExperimentPlace,
  flags: WriteFlags,
  before: Experiment | undefined,
  write: (by: By) => Promise<WrittenExperiment>,
): Promise<void> {
  const [all, killSwitch] = [await place.list(), await place.readSwitch()];
  const written = await shownFirst(flags, write, (would, stream) => {
    const { id, status } = would.experiment;
    const isStarted = status === "running" && before?.status !== "running";
    const doubts = isStarted ? startWarnings(would.experiment, all, killSwitch) : [];
    return renderWrite(before, would, stream) + doubts.map((why) => `! ${id}: ${why}.\n`).join("");
  });
  const { experiment, change } = written;
  print(flags, { ...experiment, change }, () => {
    if (change.dryRun) return "nothing written (--dry-run)\n";
    if (change.what === "") return "nothing written: it stands so already\n";
    return `${experiment.id} stands at revision ${experiment.revision}: ${change.what}\n`;
  });
}

async function writeOther<T extends { readonly change: MadeChange }>(
  flags: WriteFlags,
  what: string,
  write: (by: By) => Promise<T>,
): Promise<void> {
  const written = await shownFirst(flags, write, ({ change }, stream) => renderFields(change.fields, stream));
  const { dryRun, what: said } = written.change;
  print(flags, written, () =>
    dryRun ? "nothing written (--dry-run)\n" : `${what}: ${said === "" ? "it stands so already" : said}\n`,
  );
}

/**
 * Shows what a write would change, whatever it needs confirmed; then does it, as it was confirmed. With `--json` the
 * difference goes to standard error.
 */
export async function shownFirst<T>(
  flags: WriteFlags,
  write: (by: By) => Promise<T>,
  render: (would: T, stream: NodeJS.WriteStream) => string,
): Promise<T> {
  const by = { who: whoRuns(), confirmed: confirmedBy(flags) };
  const stream = flags.json === true ? process.stderr : process.stdout;
  stream.write(render(await write({ ...by, confirmed: confirmations, dryRun: true }), stream));
  const would = await write({ ...by, dryRun: true });
  if (flags.dryRun === true) return would;
  if (flags.yes !== true) await expectAgreement("Write it?");
  return write(by);
}

function confirmedBy({ confirmNewPhase, confirmLessTraffic }: WriteFlags): readonly Confirmation[] {
  return [
    ...(confirmNewPhase === true ? (["new-phase"] as const) : []),
    ...(confirmLessTraffic === true ? (["less-traffic"] as const) : []),
  ];
}

/** @throws {UsageError} where it is none: the id of an experiment alone says nothing to write. */
function existingFile(what: string): string {
  if (existsSync(what)) return what;
  throw new UsageError(`${what}: no such file; an experiment's id is expected with --traffic`);
}

function share(text: string): number {
  const value = Number(text);
  if (text.trim() !== "" && value >= 0 && value <= 1) return value;
  throw new InvalidArgumentError("expected a share from 0 to 1.");
}

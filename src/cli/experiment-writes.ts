import { existsSync } from "node:fs";
import { userInfo } from "node:os";
import { Command, InvalidArgumentError } from "commander";
import { readWrittenExperiment } from "../config.ts";
import { UsageError } from "../domain/error.ts";
import type { Experiment } from "../domain/experiment.ts";
import { type Confirmation, confirmations } from "../experiments/experiments.ts";
import type { By, ExperimentPlace, MadeChange, WrittenExperiment } from "../rollout/rollout.ts";
import { expectAgreement } from "./agreement.ts";
import { renderFields, renderWrite } from "./experiment-diff.ts";
import { at, type PlaceFlags, print } from "./experiment-place-flags.ts";

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
      .description("serve a surface by the configuration's default again, in place of what was shipped")
      .argument("<surface>", "the surface")
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
    .option("-y, --yes", "do not ask");
}

function documentCommands(): Command[] {
  const create = new Command("create")
    .description("a new experiment, a draft, from a YAML or JSON file")
    .argument("<file>", "the document")
    .action((file: string, flags: WriteFlags) => {
      const { written } = readWrittenExperiment(file);
      return at(flags, (place) => writeOne(flags, undefined, (by) => place.create(written, by)));
    });
  const update = new Command("update")
    .description("a whole document from a file, or an experiment's traffic")
    .argument("<file|id>", "the document; with --traffic, the experiment's id")
    .option("--traffic <share>", "of its layer, from 0 to 1", share)
    .option("--confirm-new-phase", "where one that has begun starts a new phase")
    .option("--confirm-less-traffic", "where its traffic goes down")
    .action((what: string, flags: WriteFlags & { readonly traffic?: number }) =>
      at(flags, async (place) => {
        const { traffic } = flags;
        const file = traffic === undefined ? readWrittenExperiment(existingFile(what)) : undefined;
        const standing = await place.get(file?.document.id ?? what);
        const written = file === undefined ? { ...standing, traffic } : file.written;
        const revision = file?.revision ?? standing.revision;
        await writeOne(flags, standing, (by) => place.replace(standing.id, revision, written, by));
      }),
    );
  return [create, update];
}

function moveCommands(): Command[] {
  const moves = [
    ["start", "start a draft, or one that is paused or stopped"],
    ["pause", "assign nobody; everyone is back in the same arm when it starts again"],
  ] as const;
  const stop = new Command("stop")
    .description("stop, and give its part of the layer back")
    .argument("<id>", "the experiment")
    .option("--winner <arm>", "the arm that it is stopped for")
    .action((id: string, flags: WriteFlags & { readonly winner?: string }) =>
      standing(id, flags, (place, { revision }, by) => place.move("stop", id, revision, flags.winner, by)),
    );
  const ship = new Command("ship")
    .description("make an arm the surface's default, and stop")
    .argument("<id>", "the experiment")
    .option("--arm <arm>", "the arm (default: the winner)")
    .action((id: string, flags: WriteFlags & { readonly arm?: string }) =>
      standing(id, flags, (place, { revision }, by) => place.ship(id, revision, flags.arm, by)),
    );
  return [
    ...moves.map(([move, description]) =>
      new Command(move)
        .description(description)
        .argument("<id>", "the experiment")
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
    .description("everyone gets the surface's default at once; never asks")
    .argument("<id>", "the experiment")
    .requiredOption("--reason <text>", "for whoever finds it off")
    .action((id: string, flags: WriteFlags & { readonly reason: string }) =>
      standing(id, { ...flags, yes: true }, (place, _standing, by) =>
        place.kill(id, undefined, flags.reason, by),
      ),
    );
  const revive = new Command("revive")
    .description("take a kill back")
    .argument("<id>", "the experiment")
    .action((id: string, flags: WriteFlags) =>
      standing(id, flags, (place, { revision }, by) => place.revive(id, revision, by)),
    );
  const killSwitch = new Command("kill-switch")
    .description("turn all experiments off at once, or on again: the switch is on while they are off")
    .argument("<position>", "on or off")
    .option("--reason <text>", "for whoever finds them off; expected with on")
    .action((position: string, flags: WriteFlags & { readonly reason?: string }) => {
      if (position !== "on" && position !== "off")
        throw new UsageError(`position: expected on or off, got ${position}`);
      const on = position === "on";
      const { reason = "" } = flags;
      if (on && reason === "") throw new UsageError("--reason: expected with on");
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
    await writeOne(flags, now, (by) => write(place, now, by));
  });
}

async function writeOne(
  flags: WriteFlags,
  before: Experiment | undefined,
  write: (by: By) => Promise<WrittenExperiment>,
): Promise<void> {
  const written = await shownFirst(flags, write, (would, stream) => renderWrite(before, would, stream));
  const { experiment, change } = written;
  print(flags, { ...experiment, change }, () =>
    change.dryRun
      ? "nothing written (--dry-run)\n"
      : `${experiment.id} stands at revision ${experiment.revision}${change.what === "" ? "" : `: ${change.what}`}\n`,
  );
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
  const by = { who: userInfo().username, confirmed: confirmedBy(flags) };
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

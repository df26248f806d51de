/** Small file systems of their own, for the tests of a disk that refuses: made by the system, so root has to run them. */
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { onTestFinished } from "vitest";
import { describeWhere } from "./describe-with.ts";

const run = promisify(execFile);

export interface SmallDisk {
  /** Where it is mounted. */
  readonly path: string;
  /** `mount -o remount,OPTIONS`. */
  remount(options: string): Promise<void>;
  /** Mounts it anew, as a repaired machine does: checked first. */
  mountAgain(): Promise<void>;
}

/** Why a disk of this kind cannot be had here, undefined where it can. */
async function missingDisk(kind: "tmpfs" | "ext4"): Promise<string | undefined> {
  if (process.platform !== "linux") return "small file systems are made with Linux's mount";
  if (process.getuid?.() !== 0) return "only root can mount a small file system";
  if (kind === "ext4" && !existsSync("/dev/loop-control")) return "there are no loop devices";
  const folder = await mkdtemp(join(tmpdir(), "setlist-mount-"));
  try {
    const disk = await mounted(kind, folder, 16);
    await disk.unmount();
    return undefined;
  } catch (error) {
    return `${kind} cannot be mounted: ${(error as Error).message.trim().split("\n").at(-1)}`;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * A suite for which such a disk is mounted; skipped, saying why, where none can be. Where `REQUIRE_DISKS` names the kind,
 * as in .ci/run, that is a failure.
 */
export async function describeWithDisk(
  kind: "tmpfs" | "ext4",
  name: string,
  suite: (make: (megabytes: number) => Promise<SmallDisk>) => void,
): Promise<void> {
  const missing = await missingDisk(kind);
  const required = process.env["REQUIRE_DISKS"]?.split(",").includes(kind) === true;
  describeWhere(name, { missing, required }, () =>
    suite(async (megabytes) => {
      const folder = await mkdtemp(join(tmpdir(), "setlist-disk-"));
      const disk = await mounted(kind, folder, megabytes);
      onTestFinished(async () => {
        await disk.unmount();
        await rm(folder, { recursive: true, force: true });
      });
      return disk;
    }),
  );
}

async function mounted(
  kind: "tmpfs" | "ext4",
  folder: string,
  megabytes: number,
): Promise<SmallDisk & { unmount(): Promise<void> }> {
  const path = join(folder, "disk");
  const image = join(folder, "image");
  await run("mkdir", [path]);
  const mount = (): Promise<unknown> =>
    kind === "tmpfs"
      ? run("mount", ["-t", "tmpfs", "-o", `size=${megabytes}m`, "tmpfs", path])
      : run("mount", ["-o", "loop", image, path]);
  if (kind === "ext4") {
    await writeFile(image, "");
    await truncate(image, megabytes * 1024 * 1024);
    await run("mkfs.ext4", ["-q", image]);
  }
  await mount();
  return {
    path,
    remount: async (options) => void (await run("mount", ["-o", `remount,${options}`, path])),
    async mountAgain() {
      await run("umount", [path]);
      // 1: what was wrong is put right.
      await run("fsck.ext4", ["-p", image]).catch((error: { code?: number }) => {
        if (error.code !== 1) throw error;
      });
      await mount();
    },
    unmount: async () => void (await run("umount", ["-l", path])),
  };
}

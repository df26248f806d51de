/**
 * The optional platform packages that package-lock.json leaves out. npm drops an optional package from the lock where
 * the registry that it asked did not have it, and `npm ci` then refuses the lock on every machine. Run as a program,
 * after `npm install`, it adds them with the platform that their names say: `node test/support/lock-file.ts`.
 */
import { readFileSync, writeFileSync } from "node:fs";

interface LockedPackage {
  version?: string;
  dev?: boolean;
  optional?: boolean;
  os?: string[];
  cpu?: string[];
  libc?: string[];
  optionalDependencies?: Record<string, string>;
}

interface LockFile {
  packages: Record<string, LockedPackage>;
}

export interface MissingPackage {
  readonly name: string;
  readonly version: string;
  readonly dev: boolean;
}

export function readLockFile(): LockFile {
  return JSON.parse(readFileSync("package-lock.json", "utf8")) as LockFile;
}

export function missingPackages({ packages }: LockFile): MissingPackage[] {
  const missing = new Map<string, MissingPackage>();
  for (const [path, { optionalDependencies = {}, dev = false }] of Object.entries(packages)) {
    for (const [name, version] of Object.entries(optionalDependencies)) {
      if (!isLocked(packages, path, name)) missing.set(name, { name, version, dev });
    }
  }
  return [...missing.values()];
}

/** As Node looks for packages: beside whoever asks, then one folder up, and so on. */
function isLocked(packages: LockFile["packages"], from: string, name: string): boolean {
  for (let folder = from; ; folder = folder.slice(0, Math.max(0, folder.lastIndexOf("/node_modules/")))) {
    if (packages[`${folder === "" ? "" : `${folder}/`}node_modules/${name}`] !== undefined) return true;
    if (folder === "") return false;
  }
}

const systems = ["android", "darwin", "freebsd", "linux", "openharmony", "win32"];
const processors = ["arm64", "arm", "x64", "ia32", "ppc64", "riscv64", "s390x"];

/** `…-linux-arm64-musl` is for Linux on arm64 with musl. */
function entryOf({ name, version, dev }: MissingPackage): LockedPackage {
  const words = name.split(/[/-]/);
  const os = systems.filter((system) => words.includes(system));
  const cpu = processors.filter((processor) => words.includes(processor));
  if (os.length !== 1 || cpu.length !== 1) throw new Error(`${name}: expected a name that says its platform`);
  const musl = words.some((word) => word.startsWith("musl"));
  return { version, cpu, ...(dev ? { dev } : {}), ...(musl ? { libc: ["musl"] } : {}), optional: true, os };
}

if (import.meta.main) {
  const lock = readLockFile();
  const missing = missingPackages(lock);
  for (const one of missing) lock.packages[`node_modules/${one.name}`] = entryOf(one);
  const sorted = Object.entries(lock.packages).sort(([a], [b]) => a.localeCompare(b, "en"));
  lock.packages = Object.fromEntries(sorted);
  writeFileSync("package-lock.json", `${JSON.stringify(lock, null, 2)}\n`);
  console.log(`package-lock.json: ${missing.length} packages added`);
}

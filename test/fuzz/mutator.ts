/** Inputs that are nearly right: a valid example, a few times damaged. */
import type { Random } from "../../src/domain/clock.ts";
import { drawBelow } from "../../src/simulation/random-stream.ts";

/** What breaks parsers whatever they parse. */
const oddTexts = [
  "",
  "\0",
  "\u2028",
  "\ud800",
  "\u202e",
  "ＫＤ",
  "e\u0301",
  "../..",
  "/etc/passwd",
  "%00",
  "' OR 1=1 --",
  '"; DROP TABLE x; --',
  "$(x)",
  "NaN",
  "1e309",
  "-0",
  "0x10",
  "__proto__",
  "constructor",
  "toString",
  "x".repeat(257),
  "é".repeat(129),
  "z".repeat(70_000),
];
const oddNumbers = [
  0,
  -0,
  -1,
  1,
  0.5,
  1e-320,
  1e308,
  -1e308,
  2 ** 31,
  -(2 ** 31),
  2 ** 32,
  2 ** 53,
  2 ** 53 + 2,
  1e21,
];
/** JSON that no JavaScript value stands for. */
const oddJson = ["1e999", "-1e999", "01", "+1", "NaN", "Infinity", "1.", '"\\ud800"', '"\\u0000"', "'a'"];

const depths = [20, 200, 5_000];

export class Mutator {
  readonly random: Random;
  readonly #corpus: readonly Buffer[];
  readonly #tokens: readonly string[];

  /** @param tokens the words of the language that is attacked. */
  constructor(random: Random, corpus: readonly Buffer[], tokens: readonly string[]) {
    this.random = random;
    this.#corpus = corpus;
    this.#tokens = tokens;
  }

  below(count: number): number {
    return drawBelow(this.random, count);
  }

  pick<T>(from: readonly T[]): T {
    return from[this.below(from.length)] as T;
  }

  seed(): Buffer {
    return this.pick(this.#corpus);
  }

  /** Bits, pieces and lengths of anything. */
  bytes(from: Buffer): Buffer {
    let bytes: Buffer = Buffer.from(from);
    for (let left = 1 + this.below(4); left > 0; left--) bytes = this.#damaged(bytes);
    return bytes;
  }

  #damaged(bytes: Buffer): Buffer {
    const at = this.below(bytes.length + 1);
    const end = Math.min(bytes.length, at + 1 + this.below(this.pick([2, 16, 256])));
    const [before, piece, after] = [bytes.subarray(0, at), bytes.subarray(at, end), bytes.subarray(end)];
    switch (this.below(8)) {
      case 0:
        if (at < bytes.length) bytes[at] = (bytes[at] as number) ^ (1 << this.below(8));
        return bytes;
      case 1:
        if (at < bytes.length) bytes[at] = this.pick([0, 1, 0x7f, 0x80, 0xff, this.below(256)]);
        return bytes;
      case 2:
        return before;
      case 3:
        return Buffer.concat([before, after]);
      case 4:
        return Buffer.concat([before, piece, piece, after]);
      case 5: {
        const other = this.seed();
        const from = this.below(other.length + 1);
        return Buffer.concat([before, other.subarray(from, from + 1 + this.below(64)), after]);
      }
      case 6:
        return Buffer.concat([before, Buffer.from(this.token()), after]);
      default: {
        // A length, as most formats have one, and far too large.
        const number = Buffer.alloc(4);
        number.writeUInt32LE(this.pick([0, 1, 0x7fff_ffff, 0xffff_ffff, this.below(2 ** 31)]));
        return Buffer.concat([before, number, after]);
      }
    }
  }

  token(): string {
    return this.below(3) > 0 && this.#tokens.length > 0 ? this.pick(this.#tokens) : this.pick(oddTexts);
  }

  /** Words put in, taken out and moved; a few bytes changed besides. */
  text(from: string): string {
    let text = from;
    if (this.below(3) === 0) return this.#reworded(from);
    for (let left = this.pick([1, 1, 2, 4]); left > 0; left--) {
      const at = this.below(text.length + 1);
      const end = Math.min(text.length, at + this.below(24));
      const chosen = this.below(8);
      if (chosen < 3) text = text.slice(0, at) + this.token() + text.slice(end);
      else if (chosen === 3) text = text.slice(0, at) + text.slice(end);
      else if (chosen === 4) text = text.slice(0, end) + text.slice(at);
      else if (chosen === 5)
        text =
          text.slice(0, at) + this.pick(["(", "[", "{", "-", "!"]).repeat(this.pick(depths)) + text.slice(at);
      else if (chosen === 6) text = text.slice(0, at) + String(this.pick(oddNumbers)) + text.slice(end);
      else text = this.bytes(Buffer.from(text)).toString();
    }
    return text;
  }

  /** One word is another: most of what that makes is of the language still. */
  #reworded(text: string): string {
    const words = [...text.matchAll(/[\w.]+|'[^'\n]*'|"[^"\n]*"|[^\s\w]/g)];
    if (words.length === 0) return this.token();
    const word = this.pick(words);
    const other = this.below(2) === 0 ? this.token() : this.pick(words)[0];
    return text.slice(0, word.index) + other + text.slice(word.index + word[0].length);
  }

  /** A JSON document whose structure is damaged, and now and then its text. */
  json(from: string): string {
    let value: unknown;
    try {
      value = JSON.parse(from);
    } catch {
      return this.text(from);
    }
    if (this.below(3) === 0) return JSON.stringify(this.#nudged(value));
    for (let left = this.pick([1, 1, 2, 4]); left > 0; left--) value = this.#changed(value, 6);
    let text = JSON.stringify(value) ?? "";
    if (this.below(8) === 0) text = this.#retold(text);
    return this.below(16) === 0 ? this.text(text) : text;
  }

  /** What a value cannot say: a key twice, a key that is a prototype's, a number that is none. */
  #retold(text: string): string {
    const colons = [...text.matchAll(/"[^"\\]*":/g)];
    if (colons.length === 0) return text;
    const colon = this.pick(colons);
    const at = colon.index;
    const key = this.pick([colon[0], '"__proto__":', '"constructor":', '"\\u005f_proto__":']);
    const value = this.pick([...oddJson, "null", "{}", '{"prototype":1}', "[]", '"x"', "1"]);
    return `${text.slice(0, at)}${key}${value},${text.slice(at)}`;
  }

  /** One leaf is another of its kind: most of what that makes is valid still. */
  #nudged(value: unknown): unknown {
    if (typeof value === "number") return this.pick([...oddNumbers, value / 2, value + 1]);
    if (typeof value === "string")
      return this.below(2) === 0 ? this.token() : value + this.pick(["x", "0", " ", "\u00e9"]);
    if (typeof value !== "object" || value === null) return this.pick([true, false]);
    const entries: [string, unknown][] = Object.entries(value);
    const chosen = entries[this.below(entries.length + 1)];
    if (chosen === undefined) entries.splice(this.below(entries.length + 1), 1);
    else chosen[1] = this.#nudged(chosen[1]);
    return Array.isArray(value) ? entries.map(([, part]) => part) : asOwn(entries);
  }

  #changed(value: unknown, depth: number): unknown {
    if (typeof value !== "object" || value === null || depth === 0 || this.below(12) === 0) {
      return this.#other(value);
    }
    const entries: [string, unknown][] = Object.entries(value);
    const place = this.below(entries.length + 1);
    const chosen = entries[place];
    if (chosen === undefined) entries.push([this.token(), this.#other(undefined)]);
    else {
      const [name, part] = chosen;
      const how = this.below(10);
      if (how === 0) entries.splice(place, 1);
      else if (how === 1) entries.push([Array.isArray(value) ? name : this.token(), part]);
      else if (how === 2 && !Array.isArray(value)) chosen[0] = this.token();
      else if (how === 3)
        for (let left = this.pick([1, 40, 400]); left > 0; left--) entries.push([`${name}${left}`, part]);
      else chosen[1] = this.#changed(part, depth - 1);
    }
    return Array.isArray(value) ? entries.map(([, part]) => part) : asOwn(entries);
  }

  #other(value: unknown): unknown {
    switch (this.below(9)) {
      case 0:
        return this.pick(oddNumbers);
      case 1:
        return this.pick([null, true, false, [], {}, [null], [[]]]);
      case 2:
        return nested(this.pick(depths), this.below(2) === 0);
      case 3:
        return typeof value === "string" ? this.text(value) : this.token();
      case 4:
        return typeof value === "number" ? -value : [value];
      case 5:
        return { [this.token()]: value };
      case 6:
        return typeof value === "number"
          ? value * this.pick([0.1, 1.0000001, 2, 1e9])
          : JSON.stringify(value);
      default:
        return this.token();
    }
  }
}

/** `__proto__` among the names too. */
function asOwn(entries: readonly (readonly [string, unknown])[]): object {
  const made = {};
  for (const [name, value] of entries)
    Object.defineProperty(made, name, { value, enumerable: true, configurable: true, writable: true });
  return made;
}

function nested(depth: number, isList: boolean): unknown {
  let value: unknown = 1;
  // JSON.stringify recurses too: what is deeper than that is put in as text.
  for (let left = Math.min(depth, 2_000); left > 0; left--) value = isList ? [value] : { a: value };
  return value;
}

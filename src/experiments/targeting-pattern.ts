import { RE2JS } from "@bufbuild/re2";
import { LRUCache } from "lru-cache";

/** Kept with the automaton that each has made so far: far more than all experiments of one server write out. */
const compiled = new LRUCache<string, RE2JS>({ max: 1_000 });

/**
 * A pattern of `matches`, compiled once for all requests: RE2, linear in its input whatever the pattern.
 * @throws {Error} in RE2's words, where it is none.
 */
export function compiledPattern(pattern: string): RE2JS {
  const known = compiled.get(pattern);
  if (known !== undefined) return known;
  const made = RE2JS.compile(pattern);
  compiled.set(pattern, made);
  return made;
}

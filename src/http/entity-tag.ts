import { createHash } from "node:crypto";

/** The entity tag (RFC 9110, section 8.8.3) of a body: equal for equal bodies, on every process. */
export function entityTag(body: string): string {
  return `"${createHash("sha256").update(body).digest("base64url")}"`;
}

/**
 * Whether `If-None-Match` names the tag (RFC 9110, section 13.1.2, weak comparison). A tag without its quotes is taken
 * too: OFREP's own example has none.
 */
export function namesTag(ifNoneMatch: string | undefined, tag: string): boolean {
  if (ifNoneMatch === undefined) return false;
  return ifNoneMatch.split(",").some((one) => {
    const named = one.trim().replace(/^W\//, "");
    return named === "*" || named === tag || `"${named}"` === tag;
  });
}

/** What every pseudonym begins with; behind it stand 128 bits in base64url. */
export const pseudonymPrefix = "hmac:";

const pseudonym = /^hmac:[A-Za-z0-9_-]{22}$/;

/** Whether an id of the log stands in place of one that nobody can look up. */
export function isPseudonym(id: string): boolean {
  return pseudonym.test(id);
}

import { invalidArgument } from "../domain/error.ts";

/** @throws {SetlistError} INVALID_ARGUMENT where it is no address of a PostgreSQL, without repeating it. */
export function checkStoreAddress(url: string | undefined): void {
  if (url === undefined) return;
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  const isPostgres = parsed?.protocol === "postgres:" || parsed?.protocol === "postgresql:";
  if (isPostgres && parsed.hostname !== "" && parsed.pathname.length > 1) return;
  throw invalidArgument(
    "experimentStore.url (SETLIST_EXPERIMENT_STORE_URL): expected postgres://user:password@host:port/database, with special characters of the password as in %40; what it is instead is not shown, since it may hold a password",
  );
}

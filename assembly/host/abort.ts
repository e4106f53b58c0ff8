// The end of a program that cannot go on: a trap. Envoy registers no `env.abort`, so the compiler is given this one.
import { logCritical } from "./log";

/** A debug build says where it trapped, as file:line:column; a release build has no room for the names. */
export function abort(message: string | null, file: string | null, line: u32, column: u32): void {
  if (!ASC_NO_ASSERT) {
    const what = message == null ? "trap" : message;
    const where = file == null ? "unknown place" : file;
    logCritical(`${what} at ${where}:${line}:${column}`);
  }
  unreachable();
}

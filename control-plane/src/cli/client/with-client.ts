// A client of the control plane for as long as a command needs one: where and as whom the invocation says.
import type { Invocation } from "../command.js";
import type { Outcome } from "../failure.js";
import { readAccess } from "./access.js";
import { Client } from "./client.js";
import { connect } from "./connection.js";

const DEFAULT_TIMEOUT_SECONDS = 10;

/** For each answer. */
export const timeoutMsOf = ({ number }: Pick<Invocation, "number">): number =>
  (number("timeout") ?? DEFAULT_TIMEOUT_SECONDS) * 1000;

export async function withClient<Value>(
  { env, io, text, number }: Pick<Invocation, "env" | "io" | "text" | "number">,
  use: (client: Client) => Promise<Outcome<Value>>,
): Promise<Outcome<Value>> {
  const access = await readAccess(env, text("token-file"), io);
  if (!access.ok) return access;
  const connection = connect(access.value, timeoutMsOf({ number }));
  try {
    return await use(new Client(connection, access.value.token, access.value.url.origin, io.sleep));
  } finally {
    connection.close();
  }
}

// The image's health check: asks the status listener whether the control plane is ready. 0 it is, 1 it is not, with the reason.
import { hostPort, reachable } from "./settings/address.js";
import { messageOf } from "./domain/message-of.js";
import { readStatusAddress } from "./settings/status-address.js";

const DEADLINE_MS = 4000;
const MAX_REASON_CHARS = 500;

async function reasonNotReady(): Promise<string | undefined> {
  const url = `http://${hostPort(reachable(readStatusAddress(process.env)))}/readyz`;
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(DEADLINE_MS) });
    return answer.ok ? undefined : `${url} answers ${answer.status}: ${await answer.text()}`;
  } catch (error) {
    return `${url} does not answer: ${messageOf(error instanceof Error ? (error.cause ?? error) : error)}`;
  }
}

const reason = await reasonNotReady();
if (reason !== undefined) {
  process.stderr.write(`${reason.slice(0, MAX_REASON_CHARS)}\n`);
  process.exitCode = 1;
}

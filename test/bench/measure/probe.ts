// Who is served meanwhile: a light probe in a process of its own, while something else goes on here.
import { fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { Failure } from "../../../scripts/failure.js";

/**
 * Runs `load` with a probe beside it, which asks the port with this token. Resolves with the milliseconds of each answer.
 * @throws Failure as soon as the probe ends by itself
 */
export async function probedDuring(port: number, token: string, load: () => Promise<unknown>): Promise<number[]> {
  const probe = fork(join(import.meta.dirname, "light-probe.js"), [String(port), token]);
  const answer = once(probe, "message") as Promise<[number[]]>;
  const ended = once(probe, "exit").then(() => {
    throw new Failure("The probe ended before it was told to.");
  });
  try {
    await Promise.race([load(), ended]);
    probe.send("stop");
    const [times] = await Promise.race([answer, ended]);
    return times;
  } finally {
    ended.catch(() => undefined);
    probe.kill();
  }
}

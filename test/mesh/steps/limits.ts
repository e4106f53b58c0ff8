// What the filter is for, asked of a real Envoy in whatever mesh.
import { type HttpAnswer, send } from "../../e2e/harness/http1.js";
import type { Checks } from "../checks.js";
import { equal, eventually } from "../eventually.js";
import type { Product } from "../parts/product.js";

const ask = (port: number, token: string): Promise<HttpAnswer> => send(port, { token });

export async function limits(
  checks: Checks,
  { api, setMaxTokens }: Product,
  step: string,
  port: number,
): Promise<void> {
  await checks.check(
    step,
    "a session is limited by a policy that stands in none of the mesh's configuration",
    async () => {
      const { token } = await api.issue();
      const statuses: number[] = [];
      while (statuses.length < 6) statuses.push((await ask(port, token)).status);
      equal(statuses, [200, 200, 200, 200, 200, 429], "answers");
      equal((await send(port, { token: "A".repeat(48) })).status, 401, "an answer to a forged token");
    },
  );
  await checks.check(step, "what sessions spend is reported", async () => {
    const { id, token } = await api.issue();
    for (let i = 0; i < 3; i++) equal((await ask(port, token)).status, 200, "an answer");
    await eventually(async () => {
      equal((await api.session(id)).tokens.consumed, 3, "tokens consumed");
    });
  });
  await checks.check(step, "a change of the policy arrives with nothing new from the mesh", async () => {
    const { token } = await api.issue();
    setMaxTokens(8);
    await eventually(async () => {
      equal((await ask(port, token)).headers["ratelimit-policy"], '"default";q=8', "ratelimit-policy");
    });
    setMaxTokens(5);
    await eventually(async () => {
      equal((await ask(port, token)).headers["ratelimit-policy"], '"default";q=5', "ratelimit-policy");
    });
  });
  await checks.check(step, "a revoked session is denied", async () => {
    const { id, token } = await api.issue();
    equal((await ask(port, token)).status, 200, "an answer");
    await api.revoke(id);
    await eventually(async () => {
      equal((await ask(port, token)).status, 401, "an answer");
    });
  });
}

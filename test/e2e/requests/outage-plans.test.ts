// An outage with two plans: each plan's new sessions are decided on as the plan says.
import { describe, expect, it } from "vitest";
import { UNAVAILABLE } from "../harness/answers.js";
import { useInstallation } from "../harness/installation.js";
import { policyOf } from "../harness/policy.js";

const PLANS = [
  { name: "shop", maxTokens: 10, refill: "10/1d", lifetime: "7d" },
  { name: "bank", maxTokens: 10, tokenRefillRate: 0, onUnreachable: "deny" as const },
];

describe("two plans while the control plane is away", () => {
  const sluice = useInstallation({ policy: policyOf(PLANS, { onUnreachable: "trust" }) });

  it("an outage admits one plan's new sessions and answers 503 to the other's", async () => {
    const shop = await sluice().api.issue("shop");
    const bank = await sluice().api.issue("bank");
    const known = await sluice().api.issue("bank");
    expect(await sluice().statuses(known.token, 1)).toEqual([200]);
    await sluice().controlPlane.killHard();

    expect(await sluice().statuses(shop.token, 1)).toEqual([200]);
    expect(await sluice().send({ token: bank.token })).toMatchObject({ status: 503, body: UNAVAILABLE });
    expect(await sluice().statuses(known.token, 1)).toEqual([200]);

    await sluice().controlPlane.start();
    expect(await sluice().statuses(bank.token, 1)).toEqual([200]);
  });
});

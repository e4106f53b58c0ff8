// Rotation of the installation's secret, step by step as documented: no session is denied on the way.
import { describe, expect, it } from "vitest";
import { useInstallation } from "../harness/installation.js";
import type { Part } from "../harness/part.js";
import { policyOf } from "../harness/policy.js";
import { anotherSecret, restart } from "../harness/rotation.js";

const sluice = useInstallation({
  // No session is admitted unverified: each Envoy that starts anew must be able to ask.
  policy: policyOf([{ name: "default", maxTokens: 100, tokenRefillRate: 0 }], { onUnreachable: "deny" }),
});

describe("a rotation of the secret", () => {
  it("a secret rotation denies only sessions of the old secret, once it is dropped", async () => {
    const { controlPlane, envoy, secret: before } = sluice();
    const after = anotherSecret(before);
    const ofBefore = [await sluice().api.issue()];
    const ofAfter: { token: string }[] = [];
    const steps: [Part, string, string, { token: string }[]][] = [
      [controlPlane, before, after, ofBefore],
      [envoy, after, before, ofBefore],
      [controlPlane, after, before, ofAfter],
    ];
    for (const [part, secret, also, issuedNow] of steps) {
      await restart(part, secret, also);
      issuedNow.push(await sluice().api.issue());
      for (const { token } of [...ofBefore, ...ofAfter]) expect(await sluice().statuses(token, 1)).toEqual([200]);
    }

    await restart(controlPlane, after, "");
    await restart(envoy, after, "");
    for (const { token } of ofAfter) expect(await sluice().statuses(token, 1)).toEqual([200]);
    for (const { token } of ofBefore) expect(await sluice().statuses(token, 1)).toEqual([401]);
    expect(ofAfter.length).toBeGreaterThan(0);
  });
});

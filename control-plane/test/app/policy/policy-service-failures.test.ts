// When taking a policy fails: the log names what failed, the policy in force serves on, and a start survives it.
import { describe, expect, it } from "vitest";
import { Disk, planNames, startPolicyService, validate } from "../../support/policy-service.js";

describe("a validator that fails", () => {
  const failing = {
    readPolicyDocument: (text: string | Uint8Array) => {
      if (text.toString() === "impossible") throw new TypeError("cannot read properties of undefined");
      return validate.readPolicyDocument(text);
    },
  };

  it("a document that the validator fails at is rejected, and said to be no fault of the store", async () => {
    const { service, document, lines } = await startPolicyService("0 default", new Disk(), { validate: failing });
    expect(await document.save("impossible")).toBe(true);
    expect([planNames(service), service.isFileRejected()]).toEqual([["default"], true]);
    expect(lines.slice(-2)).toMatchObject([
      { type: "policy-validator-failed" },
      {
        type: "policy-rejected",
        violations: [{ message: "the validator failed: cannot read properties of undefined" }],
      },
    ]);
    expect(lines.map(({ type }) => type)).not.toContain("policy-store-failed");
  });

  it("a start with a document that the validator fails at serves the stored policy", async () => {
    const { disk } = await startPolicyService("0 default");
    const { service } = await startPolicyService("impossible", disk, { validate: failing });
    expect([planNames(service), service.current().generation]).toEqual([["default"], 1]);
  });
});

describe("a store that fails", () => {
  it("a start with a stored policy survives a store that takes no new one, and tries again", async () => {
    const { disk } = await startPolicyService("0 default");
    disk.full = true;
    const { service, document, lines } = await startPolicyService("0 default, 1 gold", disk);
    expect([planNames(service), document.isTaken]).toEqual([["default"], false]);
    expect(lines.at(-1)).toMatchObject({ type: "policy-store-failed", error: "Error: no space left" });
    disk.full = false;
    expect(await document.save("0 default, 1 gold")).toBe(true);
    expect(planNames(service)).toEqual(["default", "gold"]);
  });
});

describe("a listener that fails", () => {
  it("a listener that fails keeps a new policy from no other one, and is named", async () => {
    const { service, document, lines } = await startPolicyService("0 default");
    let told = 0;
    service.subscribe(() => {
      throw new Error("broken");
    });
    service.subscribe(() => (told += 1));
    expect(await document.save("0 default, 1 gold")).toBe(true);
    expect([told, lines.map(({ type }) => type)]).toEqual([
      1,
      ["policy-accepted", "policy-listener-failed", "policy-accepted"],
    ]);
  });
});

describe("a file that cannot be read", () => {
  it("a file that stays unreadable is said to be so once, and said again after it was read", async () => {
    const { service, document, lines } = await startPolicyService("0 default");
    for (let look = 0; look < 5; look++) await document.save(null);
    expect(service.isFileRejected()).toBe(true);
    await document.save("0 default");
    expect(service.isFileRejected()).toBe(false);
    await document.save(null);
    expect(lines.map(({ type }) => type)).toEqual([
      "policy-accepted",
      "policy-rejected",
      "policy-unchanged",
      "policy-rejected",
    ]);
  });
});

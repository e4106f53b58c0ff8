// When taking a policy fails: the log names what failed, the policy in force serves on, and a start survives it.
import { describe, expect, it } from "vitest";
import { StoreUnwritable } from "../../../src/app/ports/store-health.js";
import type { AuditEvent } from "../../../src/domain/stored.js";
import { noAudit } from "../../support/no-audit.js";
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
      { event: "policy-validator-failed" },
      {
        event: "policy-rejected",
        violations: [{ message: "the validator failed: cannot read properties of undefined" }],
      },
    ]);
    expect(lines.map(({ event }) => event)).not.toContain("policy-store-failed");
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
    expect(lines.at(-1)).toMatchObject({ event: "policy-store-failed", error: "Error: no space left" });
    disk.full = false;
    expect(await document.save("0 default, 1 gold")).toBe(true);
    expect(planNames(service)).toEqual(["default", "gold"]);
  });
});

describe("an audit log that takes nothing", () => {
  async function rejecting() {
    const disk = { full: true };
    const audited: AuditEvent[] = [];
    const appendAudit = (event: AuditEvent): Promise<void> => {
      if (disk.full) return Promise.reject(new StoreUnwritable("the disk is full"));
      audited.push(event);
      return Promise.resolve();
    };
    const started = await startPolicyService("0 default", new Disk(), { audit: { ...noAudit, appendAudit } });
    const rejected = (): number => started.lines.filter(({ event }) => event === "policy-rejected").length;
    return { ...started, disk, audited, rejected };
  }

  for (const [what, text] of [
    ["a rejected policy", "impossible"],
    ["an unreadable policy", null],
  ] as const) {
    it(`${what} is logged once while the store cannot be written, and audited when it can`, async () => {
      const { document, disk, audited, rejected } = await rejecting();
      for (let look = 0; look < 5; look++) expect(await document.save(text)).toBe(false);
      expect(rejected()).toBe(1);
      disk.full = false;
      expect(await document.save(text)).toBe(true);
      expect([rejected(), audited.length]).toEqual([1, 1]);
    });
  }

  it("a rejected policy that is saved again as it was is logged and audited once", async () => {
    const { document, disk, audited, rejected } = await rejecting();
    disk.full = false;
    for (let save = 0; save < 3; save++) await document.save("impossible");
    expect([rejected(), audited.length]).toEqual([1, 1]);
    await document.save("impossible too");
    expect([rejected(), audited.length]).toEqual([2, 2]);
  });

  it("a rejected policy that comes back after another document is said again", async () => {
    const { document, disk, audited, rejected } = await rejecting();
    disk.full = false;
    for (const text of ["impossible", "0 default", "impossible", null, "impossible"]) await document.save(text);
    expect([rejected(), audited.length]).toEqual([4, 4]);
  });

  it("another rejection is logged during an outage, and the same again once that is audited", async () => {
    const { document, disk, rejected } = await rejecting();
    await document.save("impossible");
    await document.save(null);
    expect(rejected()).toBe(2);
    disk.full = false;
    await document.save("impossible");
    await document.save("impossible too");
    expect(rejected()).toBe(4);
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
    expect([told, lines.map(({ event }) => event)]).toEqual([
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
    expect(lines.map(({ event }) => event)).toEqual([
      "policy-accepted",
      "policy-rejected",
      "policy-unchanged",
      "policy-rejected",
    ]);
  });
});

// What every store must do with claims. An adapter's test calls this with a way to open the store in one or two processes.
import { expect, it } from "vitest";

import type { Claims } from "../../src/app/ports/claim-ports.js";

export interface TwoProcesses {
  readonly mine: Claims;
  readonly others: Claims;
  /** Resolves once so much time has passed in the store. */
  readonly pass: (ms: number) => Promise<void>;
}

const LONG_MS = 600_000;
const SHORT_MS = 20;

/** Of every store. `open` gives an empty one and sees to its end. */
export function claimsContract(open: () => Promise<Claims>): void {
  it("a process takes claims that nobody has, and renews its own", async () => {
    const claims = await open();
    expect(await claims.take("sweep", LONG_MS)).toBe(true);
    expect(await claims.take("sweep", LONG_MS)).toBe(true);
    expect(await claims.take("retention", LONG_MS)).toBe(true);
  });

  it("a claim that was released, or that nobody had, is taken as before", async () => {
    const claims = await open();
    await claims.release("sweep");
    await claims.take("sweep", LONG_MS);
    await claims.release("sweep");
    await claims.release("sweep");
    expect(await claims.take("sweep", LONG_MS)).toBe(true);
  });
}

/** Of a store that several processes may share. */
export function sharedClaimsContract(open: () => Promise<TwoProcesses>): void {
  it("a claim that another process has is not taken, and others are", async () => {
    const { mine, others } = await open();
    expect(await others.take("sweep", LONG_MS)).toBe(true);
    expect(await mine.take("sweep", LONG_MS)).toBe(false);
    expect(await mine.take("retention", LONG_MS)).toBe(true);
    expect(await others.take("sweep", LONG_MS)).toBe(true);
  });

  it("of processes that ask for a claim at once, one has it", async () => {
    const { mine, others } = await open();
    const taken = await Promise.all([mine, others, mine, others].map((claims) => claims.take("sweep", LONG_MS)));
    expect(taken).toEqual(taken[0] ? [true, false, true, false] : [false, true, false, true]);
  });

  it("a released claim is another's at once, and nobody releases what another has", async () => {
    const { mine, others } = await open();
    await others.take("sweep", LONG_MS);
    await mine.release("sweep");
    expect(await mine.take("sweep", LONG_MS)).toBe(false);
    await others.release("sweep");
    expect(await mine.take("sweep", LONG_MS)).toBe(true);
    await others.release("sweep");
    expect(await others.take("sweep", LONG_MS)).toBe(false);
  });

  it("a claim that is not renewed lapses, and its former holder has it no more", async () => {
    const { mine, others, pass } = await open();
    await others.take("sweep", SHORT_MS);
    await pass(SHORT_MS + 1);
    expect(await mine.take("sweep", LONG_MS)).toBe(true);
    expect(await others.take("sweep", LONG_MS)).toBe(false);
  });

  it("a claim that is renewed lasts for as long as it was renewed for", async () => {
    const { mine, others, pass } = await open();
    await others.take("sweep", SHORT_MS);
    await others.take("sweep", LONG_MS);
    await pass(SHORT_MS + 1);
    expect(await mine.take("sweep", LONG_MS)).toBe(false);
  });
}

// The ports for operators, the audit log, bulk revocations and claims: the contracts, for each engine.
import { describe } from "vitest";

import { MemoryStore } from "../../src/store/memory/store.js";
import { auditContract } from "../contracts/audit-contract.js";
import { claimsContract, sharedClaimsContract } from "../contracts/claims-contract.js";
import { operatorContract } from "../contracts/operator-contract.js";
import { revocationContract } from "../contracts/revocation-contract.js";
import { queuedStore } from "../support/processes-over-one-store.js";
import { withVerbs } from "../support/store-verbs.js";
import { temporaryStore } from "../support/temporary-store.js";

const ENGINES = [
  ["LMDB", temporaryStore],
  ["the in-memory engine of the tests", () => Promise.resolve(withVerbs(new MemoryStore()))],
  ["an engine with a queue in front of it", () => Promise.resolve(withVerbs(queuedStore()))],
] as const;

describe.each(ENGINES)("%s keeps the contract", (_engine, open) => {
  operatorContract(open);
  auditContract(open);
  revocationContract(open);
  claimsContract(async () => (await open()).claims);
});

describe("claims in memory keep the contract of a store that processes share", () => {
  sharedClaimsContract(() => {
    const mine = new MemoryStore().claims;
    const pass = (ms: number): Promise<void> => {
      mine.pass(ms);
      return Promise.resolve();
    };
    return Promise.resolve({ mine, others: mine.another(), pass });
  });
});

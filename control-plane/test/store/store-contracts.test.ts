// The ports for operators, the audit log and bulk revocations: the contracts, for each engine.
import { describe } from "vitest";

import { MemoryStore } from "../../src/store/memory/store.js";
import { auditContract } from "../contracts/audit-contract.js";
import { operatorContract } from "../contracts/operator-contract.js";
import { revocationContract } from "../contracts/revocation-contract.js";
import { withVerbs } from "../support/store-verbs.js";
import { temporaryStore } from "../support/temporary-store.js";

const ENGINES = [
  ["LMDB", temporaryStore],
  ["the in-memory engine of the tests", () => Promise.resolve(withVerbs(new MemoryStore()))],
] as const;

describe.each(ENGINES)("%s keeps the contract", (_engine, open) => {
  operatorContract(open);
  auditContract(open);
  revocationContract(open);
});

// The store's contracts in a cluster, for a user that may do what docs/stores.md says of one.
import { describe } from "vitest";

import { redisContracts } from "../../control-plane/test/contracts/redis-contracts.js";
import { CLUSTER_RULES, STORE_USER_RULES } from "../../scripts/store-server.js";

describe("a store in a cluster keeps the contract", () => {
  const rules = `${STORE_USER_RULES} ${CLUSTER_RULES}`;
  redisContracts("Valkey 9", { cluster: true, user: { name: "sluice", password: "of-the-store", rules } });
});

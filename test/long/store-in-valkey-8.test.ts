// The store's contracts on a Valkey 8; those of Redis 7 and Valkey 9 are among the quick tests.
import { describe } from "vitest";

import { redisContracts } from "../../control-plane/test/contracts/redis-contracts.js";

describe("a store in Valkey 8 keeps the contract", () => {
  redisContracts("Valkey 8");
});

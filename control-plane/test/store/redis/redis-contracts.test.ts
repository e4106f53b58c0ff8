// Every port of the store in Redis keeps the contract of the port, on a real server; test/long has the same for Valkey 8 and 9 and a cluster.
import { describe } from "vitest";

import { STORE_USER_RULES } from "../../../../scripts/store-server.js";
import { redisContracts } from "../../contracts/redis-contracts.js";

describe("a store in Redis 7 keeps the contract for a user that may do what docs/stores.md says", () => {
  redisContracts("Redis 7", { user: { name: "sluice", password: "of-the-store", rules: STORE_USER_RULES } });
});

// Every port of the store in Redis keeps the contract of the port, on a real server; test/long has the same for Valkey 8 and 9 and a cluster.
import { describe } from "vitest";

import { redisContracts } from "../../contracts/redis-contracts.js";

describe("a store in Redis 7 keeps the contract", () => {
  redisContracts("Redis 7");
});

// Every port of the store in Redis and Valkey keeps the contract of the port, on a real server.
import { setTimeout as passed } from "node:timers/promises";
import { describe } from "vitest";

import { auditContract } from "../../contracts/audit-contract.js";
import { claimsContract, sharedClaimsContract } from "../../contracts/claims-contract.js";
import { edgeStatusContract, sharedStatusContract } from "../../contracts/edge-status-contract.js";
import { endingContract } from "../../contracts/ending-contract.js";
import { formerRowsContract } from "../../contracts/former-rows-contract.js";
import { holdingContract } from "../../contracts/holding-contract.js";
import { logContract } from "../../contracts/log-contract.js";
import { operatorContract } from "../../contracts/operator-contract.js";
import { policyContract } from "../../contracts/policy-contract.js";
import { revocationContract } from "../../contracts/revocation-contract.js";
import { storeContract } from "../../contracts/store-contract.js";
import { usageContract } from "../../contracts/usage-contract.js";
import { newRedisStore, redisStoreAt, serverAt } from "../../support/redis-store.js";
import { STORE_USER_RULES } from "../../../../scripts/store-server.js";
import { SERVER_NAMES } from "../../../../scripts/test/get-store-servers.js";
import { useServer } from "../../support/servers/use-server.js";

/** May do no more than docs/stores.md has it. */
const user = { name: "sluice", password: "of-the-store", rules: STORE_USER_RULES };
const login = { username: user.name, password: user.password };

describe.each([
  ...SERVER_NAMES.map((name) => ({ name, who: "whoever may do all", settings: {}, as: {} })),
  { name: "Valkey 9", who: "the user of docs/stores.md", settings: { user }, as: login } as const,
])("a store in $name keeps the contract for $who", ({ name, settings, as }) => {
  const server = useServer(name, settings);
  const options = () => serverAt(server().port, as);
  const open = () => newRedisStore(options());

  storeContract(open);
  usageContract(open);
  endingContract(open);
  holdingContract(open);
  formerRowsContract(open);
  operatorContract(open);
  auditContract(open);
  revocationContract(open);
  policyContract(async () => (await open()).policies);
  logContract(async () => {
    const store = await open();
    const append = async (...entries: Parameters<Awaited<ReturnType<Parameters<typeof logContract>[0]>>["append"]>) => {
      const invalidations = entries.map(([kind, sessionId, atMs = 0]) => ({ kind, sessionId, atMs }));
      await store.update("newestSession", { userId: "nobody" }, () => ({ answer: null, changes: { invalidations } }));
      await store.invalidations.told();
    };
    return { log: store.invalidations, append };
  });
  claimsContract(async () => (await open()).claims);
  sharedClaimsContract(async () => {
    const mine = await open();
    const others = await redisStoreAt(options());
    return { mine: mine.claims, others: others.claims, pass: (ms) => passed(ms) };
  });
  edgeStatusContract(async () => (await open()).edgeStatus);
  sharedStatusContract(async () => {
    const one = await open();
    const other = await redisStoreAt(options());
    const setBack = async () => {
      const keys = (await server().command("KEYS", "{sluice}:edges*")) as string[];
      await server().command("DEL", ...keys);
      await server().command("HSET", "{sluice}:meta", "statuses", "0");
    };
    return { one: one.edgeStatus, other: other.edgeStatus, setBack };
  });
});

// Every generation of the policy that is kept, by its number.
import type { GenerationsKept, PolicyDecision, PolicyStore, StoredPolicy } from "../../../app/ports/ports.js";
import type { AuditEvent } from "../../../domain/stored.js";
import { KEYS } from "../keys.js";
import { strings } from "../reading/reads.js";
import type { Reads } from "../reading/reads.js";
import { POSITION } from "../scripts.js";
import type { Commits, Operation } from "../writing/commits.js";
import { positionIn } from "./stored-position.js";

export class RedisPolicies implements PolicyStore {
  constructor(
    private readonly reads: Reads,
    private readonly commits: Commits,
  ) {}

  async newestGeneration(): Promise<number> {
    return Number(await this.reads.command(["HGET", KEYS.meta, "generation"]));
  }

  async policy(generation: number): Promise<StoredPolicy | undefined> {
    const field = String(generation);
    const { answers } = await this.reads.run([
      ["fields", KEYS.policies, "1", field],
      ["fields", KEYS.decided, "1", field],
    ]);
    const [stored, decided] = [strings(answers[0])[1], strings(answers[1])[1]];
    if (stored === undefined) return undefined;
    return { ...(JSON.parse(stored) as PolicyDecision), position: positionIn(decided) };
  }

  savePolicy(decision: PolicyDecision, expectedGeneration: number, audited?: AuditEvent): Promise<boolean> {
    const field = String(decision.generation);
    const operations: Operation[] = [
      ["HSET", KEYS.policies, field, JSON.stringify(decision)],
      ["HSET", KEYS.decided, field, POSITION],
      ["HSET", KEYS.meta, "generation", field],
    ];
    if (audited !== undefined) operations.push(["AUDIT", JSON.stringify(audited)]);
    return this.commits.run([["field", KEYS.meta, "generation", String(expectedGeneration)]], operations);
  }

  async forgetPolicies({ newest, also }: GenerationsKept): Promise<number> {
    const reply = await this.reads.command(["HKEYS", KEYS.policies]);
    const generations = strings(reply).map(Number);
    const older = generations.sort((one, other) => other - one).slice(newest);
    const forgotten = older.filter((generation) => !also.has(generation)).map(String);
    if (forgotten.length === 0) return 0;
    await this.commits.run(
      [],
      [
        ["HDEL", KEYS.policies, ...forgotten],
        ["HDEL", KEYS.decided, ...forgotten],
      ],
      "taken",
    );
    return forgotten.length;
  }
}

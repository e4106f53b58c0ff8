// One random policy by its seed: written as YAML, published, taken by the built filter, and each decision on random requests
// held against the reference.
import type { Policy } from "../../../control-plane/src/domain/policy/policy.js";
import { filterModule } from "../harness/builds/filter-modules.js";
import { Random } from "../harness/host/random.js";
import { DrivenEdge } from "./driven-edge.js";
import { expectEqual } from "./expect-equal.js";
import { holdDecision, holdResponse, type OpenRequest } from "./hold.js";
import { canonical, withoutUnreachable } from "./meant.js";
import { PublishingPlane } from "./publishing-plane.js";
import { randomPolicy } from "./random/policy.js";
import { randomAnswer, randomRequest, randomWait } from "./random/requests.js";
import { randomSessions } from "./random/sessions.js";
import { spelled } from "./random/spelling.js";
import { PlainEdge, type Decided, type TokenHolder } from "./reference/edge.js";
import type { Pairs } from "./reference/pairs.js";

const REQUESTS = 30;
const HANGS_UP = 0.1;

export class PolicyProperty {
  /** How often each outcome was, of requests and of settlements. */
  readonly tally = new Map<string, number>();

  private constructor(
    private readonly plane: PublishingPlane,
    private readonly full: WebAssembly.Module,
    private readonly settling: WebAssembly.Module,
  ) {}

  static async prepared(full = filterModule(), settling = filterModule("settle")): Promise<PolicyProperty> {
    return new PolicyProperty(await PublishingPlane.start(), full, settling);
  }

  /** Nothing, or how the filter differs from the reference, with all that is needed to see it again. */
  async run(seed: number): Promise<string> {
    const random = new Random(seed);
    const settles = random.chance(0.5);
    let text = "";
    const asked: Pairs[] = [];
    try {
      const { policy, yaml } = withoutUnreachable(randomPolicy(random, settles), (one) =>
        spelled(one, new Random(seed)),
      );
      text = yaml;
      await this.plane.publish(yaml);
      const filter = new DrivenEdge(settles ? this.settling : this.full, seed);
      expectEqual("the published policy", JSON.parse(await filter.follow(this.plane)), canonical(policy));
      this.#ask(policy, filter, random, asked);
      return "";
    } catch (error) {
      const request = (asked.at(-1) ?? []).map((pair) => pair.join(": ")).join("\n");
      const what = error instanceof Error ? error.message : String(error);
      return `seed ${seed}, request ${asked.length}: ${what}\n\n${text}\n${request}\n`;
    }
  }

  #ask(policy: Policy, filter: DrivenEdge, random: Random, asked: Pairs[]): void {
    const isShort = random.chance(0.4);
    const holders = holdersOf(policy, filter, random, isShort);
    const reference = new PlainEdge(policy, holders);
    const tokens = holders.map(({ token }) => token);
    const open: OpenRequest[] = [];
    for (let n = 0; n < REQUESTS; n++) {
      filter.pass(randomWait(random, isShort));
      const request = randomRequest(random, policy, tokens);
      asked.push(request);
      filter.counted();
      const decided = reference.decide(request, filter.nowUs);
      const stream = filter.open(request);
      holdDecision(policy, filter, { request, decided, stream });
      this.#tell(wordOf(decided));
      if (decided.passes) open.push({ stream, decided });
      while (open.length > 0 && random.chance(0.8)) this.#answer(policy, filter, random, open);
    }
  }

  /** The service answers one of the requests that wait for it, or its client hangs up. */
  #answer(policy: Policy, filter: DrivenEdge, random: Random, open: OpenRequest[]): void {
    const [next] = open.splice(random.below(open.length), 1);
    if (next === undefined) return;
    const answer = random.chance(HANGS_UP) ? undefined : randomAnswer(random);
    const settled = holdResponse(policy, filter, next, answer);
    if (settled !== undefined) this.#tell(`settlement: ${settled}`);
  }

  #tell(word: string): void {
    this.tally.set(word, (this.tally.get(word) ?? 0) + 1);
  }
}

function holdersOf(policy: Policy, filter: DrivenEdge, random: Random, isShort: boolean): TokenHolder[] {
  const mint = (planId: number) => filter.edge.newSession(planId);
  // Who was admitted by the token alone stays so: the control plane is not heard of.
  const isAway = policy.onMiss === "trust" || random.chance(0.2);
  const holders = randomSessions(random, { policy, isAway, isShort, mint });
  filter.meet(holders);
  return holders;
}

function wordOf({ outcome, passes }: Decided): string {
  return passes ? `${outcome}, passes` : outcome;
}

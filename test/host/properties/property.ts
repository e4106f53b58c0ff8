// One random policy by its seed: written as YAML, published, taken by the built filter, and each decision on random requests
// held against the reference.
import { isDeepStrictEqual, inspect } from "node:util";
import type { Policy } from "../../../control-plane/src/domain/policy/policy.js";
import { filterModule } from "../harness/builds/filter-modules.js";
import { Random } from "../harness/host/random.js";
import type { Stream } from "../harness/host/stream.js";
import { DrivenEdge, answerOf, notNone, sorted } from "./driven-edge.js";
import { canonical, withoutUnreachable } from "./meant.js";
import { PublishingPlane } from "./publishing-plane.js";
import { randomPolicy } from "./random/policy.js";
import { randomAnswer, randomRequest, randomWait } from "./random/requests.js";
import { randomSessions } from "./random/sessions.js";
import { spelled } from "./random/spelling.js";
import { plainAnnotations, plainAnswer, plainCounted } from "./reference/answers.js";
import { PlainEdge, type Decided } from "./reference/edge.js";
import { plainResponse } from "./reference/limit-headers.js";
import { without, type Pairs } from "./reference/pairs.js";
import { plainSettled } from "./reference/settle.js";
import { plainForwarded } from "./reference/token.js";
import { answerAs } from "./service.js";

const REQUESTS = 30;

/** Of all that ran: how often each outcome was. */
export type Tally = Map<string, number>;

interface Under {
  readonly policy: Policy;
  readonly filter: DrivenEdge;
  readonly random: Random;
}

/** A request that the service has not answered yet. */
interface Open {
  readonly stream: Stream;
  readonly decided: Decided;
}

export class PolicyProperty {
  readonly tally: Tally = new Map();
  private constructor(
    private readonly plane: PublishingPlane,
    private readonly plain: WebAssembly.Module,
    private readonly settles: WebAssembly.Module,
  ) {}

  static async prepared(plain = filterModule(), settles = filterModule("settle")): Promise<PolicyProperty> {
    return new PolicyProperty(await PublishingPlane.start(), plain, settles);
  }

  /** What was found: nothing, or how the filter differs from the reference, with all that is needed to see it again. */
  async run(seed: number): Promise<string> {
    const random = new Random(seed);
    const doesSettle = random.chance(0.5);
    const meant = randomPolicy(random, doesSettle);
    const { policy, yaml } = withoutUnreachable(meant, (one) => spelled(one, new Random(seed)));
    let asked: Pairs = [];
    try {
      await this.plane.publish(yaml);
      const filter = new DrivenEdge(doesSettle ? this.settles : this.plain, seed);
      const published = JSON.parse(await filter.follow(this.plane)) as unknown;
      expectEqual("the published policy", published, canonical(policy));
      this.#request({ policy, filter, random }, (request) => (asked = request));
      return "";
    } catch (error) {
      const request = asked.map((pair) => pair.join(": ")).join("\n");
      return `seed ${seed}: ${error instanceof Error ? error.message : String(error)}\n\n${yaml}\n${request}`;
    }
  }

  #request(under: Under, note: (request: Pairs) => void): void {
    const { policy, filter, random } = under;
    const isShort = random.chance(0.3);
    const mint = (planId: number) => filter.edge.newSession(planId);
    // Who was admitted by the token alone stays so: the control plane is not heard of.
    const isAway = policy.onMiss === "trust" || random.chance(0.15);
    const holders = randomSessions(random, { policy, isAway, isShort, mint });
    filter.meet(holders);
    if (process.env["TRACE"]) console.log(inspect(holders, { depth: 5 }));
    filter.counted();
    const reference = new PlainEdge(policy, holders);
    const tokens = holders.map(({ token }) => token);
    const open: Open[] = [];
    for (let n = 0; n < REQUESTS; n++) {
      filter.pass(randomWait(random, isShort));
      filter.counted();
      const request = randomRequest(random, policy, tokens);
      note(request);
      const decided = reference.decide(request, filter.nowUs);
      const stream = filter.open(request);
      this.#tell(decided);
      if (process.env["TRACE"]) console.log(n, filter.nowUs, decided.outcome, decided.passes, decided.session?.id.slice(-4), decided.limit, decided.levels?.buckets.map((b) => `${b.name} ${b.levelPico}`), stream.local?.details, filter.edge.acquires.length, JSON.stringify(request));
      holdDecision(under, request, decided, stream);
      if (decided.passes) open.push({ stream, decided });
      while (open.length > 0 && random.chance(0.8)) holdResponse(under, random.pick(open.splice(random.below(open.length), 1)));
    }
  }

  #tell({ outcome, passes }: Decided): void {
    const word = `${outcome}${passes ? " passes" : ""}`;
    this.tally.set(word, (this.tally.get(word) ?? 0) + 1);
  }
}

function holdDecision({ policy, filter }: Under, request: Pairs, decided: Decided, stream: Stream): void {
  const { passes, session, levels, reserved } = decided;
  const answer = plainAnswer(policy, decided);
  const wanted = answer && { ...answer, headers: sorted(answer.headers) };
  expectEqual("what the client gets", answerOf(stream), wanted);
  expectEqual("whether it is let through", stream.state, passes ? "upstream" : "finished");
  expectEqual("what is counted", filter.counted(), notNone(plainCounted(decided)));
  expectEqual("what access logs are told", Object.fromEntries(stream.properties), plainAnnotations(policy, decided));
  const known = session && levels && { session: session.id, plan: levels.plan.name };
  const reads = reserved !== undefined && reserved.route.settle?.json !== null;
  const forwarded = passes ? plainForwarded(policy, request, known) : request;
  const left = reads ? without(forwarded, ["accept-encoding"]) : forwarded;
  expectEqual("what the service gets", sorted(stream.requestHeaders.pairs()), sorted(left));
  if (session !== undefined && levels !== undefined) holdLevels(filter, session.id, levels);
}

function holdLevels(filter: DrivenEdge, sessionId: string, levels: NonNullable<Decided["levels"]>): void {
  const held = filter.levels(sessionId, levels.buckets.length - 1);
  if (held === undefined) return;
  const wanted = levels.buckets.map(({ levelPico }) => levelPico);
  expectEqual("what the limits hold", held, wanted);
}

function holdResponse({ policy, filter, random }: Under, { stream, decided }: Open): void {
  const { reserved, session, limitHeaders } = decided;
  const answer = randomAnswer(random);
  filter.counted();
  const hangsUp = random.chance(0.1);
  if (hangsUp) stream.abandon();
  else {
    const service = answerAs(stream, answer, reserved?.route.settle);
    const wanted = plainResponse(policy, service, limitHeaders);
    expectEqual("what the client gets", sorted(stream.responseHeaders?.pairs() ?? []), sorted(wanted));
  }
  if (reserved === undefined) return;
  const settled = plainSettled(reserved, hangsUp ? undefined : answer.cost, filter.nowUs);
  expectEqual("what is counted", filter.counted(), notNone(settled));
  if (session !== undefined) holdLevels(filter, session.id, reserved.levels);
}

function expectEqual(what: string, got: unknown, wanted: unknown): void {
  if (isDeepStrictEqual(got, wanted)) return;
  const at = firstDifference(got, wanted);
  throw new Error(`${what}, at ${at.path}: ${inspect(at.got)}, the reference has ${inspect(at.wanted)}`);
}

interface Difference {
  readonly path: string;
  readonly got: unknown;
  readonly wanted: unknown;
}

function firstDifference(got: unknown, wanted: unknown, path = "."): Difference {
  const isTree = (value: unknown): value is object => typeof value === "object" && value !== null;
  if (!isTree(got) || !isTree(wanted)) return { path, got, wanted };
  const of = (tree: object, key: string): unknown => (tree as Record<string, unknown>)[key];
  const keys = new Set([...Object.keys(got), ...Object.keys(wanted)]);
  const key = [...keys].find((one) => !isDeepStrictEqual(of(got, one), of(wanted, one)));
  if (key === undefined) return { path, got, wanted };
  return firstDifference(of(got, key), of(wanted, key), `${path}/${key}`);
}

// The control plane as far as a policy goes, in the code that serves: what is written in its file is read, judged, numbered and
// published, and a filter's watch gets its bytes over the real route.
import type { TypeBoxTypeProvider } from "@fastify/type-provider-typebox";
import fastify from "fastify";
import {
  HEADER_GENERATION,
  HEADER_LOG,
  HEADER_POLICY_HASH,
  HEADER_REPORT_SPREAD,
  PATH_WATCH,
} from "../../../assembly/contract.js";
import { EdgeRegistry } from "../../../control-plane/src/app/edges/status/edge-registry.js";
import { Watches } from "../../../control-plane/src/app/edges/watches.js";
import { PolicyService } from "../../../control-plane/src/app/policy/policy-service.js";
import type { FollowedText } from "../../../control-plane/src/app/ports/followed-text.js";
import { readPolicyDocument } from "../../../control-plane/src/domain/policy/read-policy.js";
import { Callers } from "../../../control-plane/src/http/callers.js";
import { watchRoute } from "../../../control-plane/src/http/edge/watch-route.js";
import { ErrorSchema, FORMATS } from "../../../control-plane/src/http/schemas.js";
import { MemoryPolicies } from "../../../control-plane/src/store/memory/policies.js";
import { FixedClock } from "../../../control-plane/test/support/fixed-clock.js";
import { ManualTimers } from "../../../control-plane/test/support/manual-timers.js";
import { noAudit } from "../../../control-plane/test/support/no-audit.js";
import type { Callout } from "../harness/host/callouts.js";
import { CURSOR, LOG } from "../harness/scenes/documents.js";

const FIRST = "{ version: 1, plans: [{ id: 0, name: first, maxTokens: 1, tokenRefillRate: 1 }] }";
const OF_A_POLICY = [HEADER_LOG, HEADER_GENERATION, HEADER_POLICY_HASH, HEADER_REPORT_SPREAD];
const nothing = (): void => undefined;

class PolicyFile implements FollowedText {
  readonly name = "policy.yaml";
  #text = FIRST;
  #onChange: () => Promise<boolean> = () => Promise.resolve(true);

  read(): Promise<string> {
    return Promise.resolve(this.#text);
  }

  watch(onChange: () => Promise<boolean>): () => void {
    this.#onChange = onChange;
    return nothing;
  }

  async save(text: string): Promise<void> {
    this.#text = text;
    await this.#onChange();
  }
}

export class PublishingPlane {
  private constructor(
    private readonly file: PolicyFile,
    private readonly policies: PolicyService,
    private readonly http: { inject: (call: object) => Promise<Injected> },
  ) {}

  static async start(): Promise<PublishingPlane> {
    const file = new PolicyFile();
    const clock = new FixedClock();
    const position = { log: LOG, cursor: CURSOR };
    const logger = { debug: nothing, info: nothing, warn: nothing, error: nothing };
    const policies = await PolicyService.start({
      ...{ source: file, validate: { readPolicyDocument }, audit: noAudit, clock, logger },
      store: new MemoryPolicies(() => position),
      sessions: { countLive: () => Promise.resolve(0) },
      operator: { sessionsBefore: () => Promise.resolve([]) },
    });
    const log = { position: () => Promise.resolve(position), subscribe: () => nothing };
    const watches = new Watches({
      ...{ policies, clock, logger, timers: new ManualTimers(clock), instances: new EdgeRegistry({ clock, policies }) },
      log: { ...log, read: () => Promise.reject(new Error("nothing was invalidated")) } as never,
      meter: { watchEnded: nothing, propagated: nothing },
    });
    const http = fastify({ ajv: { customOptions: { formats: FORMATS } } }).withTypeProvider<TypeBoxTypeProvider>();
    http.addSchema(ErrorSchema);
    watchRoute(http, watches, new Callers([]));
    await http.ready();
    return new PublishingPlane(file, policies, http);
  }

  /** An operator saves the file. @throws where that is not in force then */
  async publish(yaml: string): Promise<void> {
    await this.file.save(yaml);
    const { source } = await this.policies.status();
    if (source.state !== "taken") throw new Error(`the policy is ${source.state}`);
  }

  /** Answers a watch that knows no policy yet. @returns the bytes that it was answered with */
  async answer(watch: Callout): Promise<string> {
    const headers = { "content-type": "application/json" };
    const call = { method: "POST", url: PATH_WATCH, headers, payload: Buffer.from(watch.body) };
    const { statusCode, rawPayload, headers: answered } = await this.http.inject(call);
    const said = OF_A_POLICY.map((name) => [name, String(answered[name])] as const);
    watch.answer(statusCode, rawPayload, Object.fromEntries(said));
    return rawPayload.toString();
  }
}

interface Injected {
  readonly statusCode: number;
  readonly rawPayload: Buffer;
  readonly headers: Readonly<Record<string, unknown>>;
}

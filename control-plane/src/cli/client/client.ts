// The client of the REST API: sends a request, repeats what may be repeated, and says what a failure means.
import { CODE_INVALID_SESSION, CODE_LIMITER_UNAVAILABLE, CODE_MISSING_SESSION } from "../../../../assembly/contract.js";
import { NoAnswer } from "./connection.js";
import type { Connection, RawAnswer } from "./connection.js";
import { done, EXIT, failed } from "../failure.js";
import type { Failure, Outcome } from "../failure.js";

export interface ApiRequest {
  readonly method: "GET" | "POST" | "PATCH" | "DELETE";
  readonly path: string;
  readonly body?: object;
  /** The Idempotency-Key. */
  readonly key?: string | undefined;
  /** For how long the server may hold the call before it answers: so much more patience. */
  readonly heldMs?: number;
}

/** Only a GET changes nothing: only it is sent again. Waits between its attempts. */
const RETRY_AFTER_MS = [250, 1000];
/** Longer than that a person waits by themself. */
const MAX_WAIT_MS = 5000;
const WORTH_REPEATING = [429, 502, 503, 504];
/** Failures before a byte of the request has left. */
const NOT_SENT = /^(?:ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|EPROTO)$|CERT|SELF_SIGNED|ALTNAME/;
const OF_TLS = /^EPROTO$|CERT|SELF_SIGNED|ALTNAME|SSL|TLS/;

/** What the filter answers a request without a session's token. */
const OF_ENVOY: readonly unknown[] = [CODE_MISSING_SESSION, CODE_INVALID_SESSION, CODE_LIMITER_UNAVAILABLE];
const NO_ROUTE =
  "Is SLUICE_URL the address of the API, not of the status listener? An older control plane has fewer routes";

export class Client {
  /** @param origin of the API, for people */
  constructor(
    private readonly connection: Connection,
    private readonly token: string,
    private readonly origin: string,
    private readonly sleep: (ms: number) => Promise<void>,
  ) {}

  /**
   * The answer's body.
   * @param needed a field that the body must have: without it, it is no answer of this API. Null: no body is expected
   */
  async call<Body extends object>(request: ApiRequest, needed: (keyof Body & string) | null): Promise<Outcome<Body>> {
    const waits = request.method === "GET" ? [...RETRY_AFTER_MS] : [];
    for (;;) {
      const answer = await this.attempt(request);
      const waitMs = waits.shift();
      if (waitMs === undefined || !isWorthRepeating(answer)) return this.outcome(request, answer, needed);
      await this.sleep(Math.max(waitMs, wishedWaitMs(answer)));
    }
  }

  private async attempt({ method, path, body, key, heldMs = 0 }: ApiRequest): Promise<RawAnswer | NoAnswer> {
    const sent = body === undefined ? undefined : JSON.stringify(body);
    const headers: Record<string, string> = { authorization: `Bearer ${this.token}`, accept: "application/json" };
    if (sent !== undefined) {
      headers["content-type"] = "application/json";
      headers["content-length"] = String(Buffer.byteLength(sent));
    }
    if (key !== undefined) headers["idempotency-key"] = key;
    try {
      return await this.connection.call({ method, path, headers, body: sent, heldMs });
    } catch (error) {
      if (error instanceof NoAnswer) return error;
      throw error;
    }
  }

  private outcome<Body extends object>(
    request: ApiRequest,
    answer: RawAnswer | NoAnswer,
    needed: (keyof Body & string) | null,
  ): Outcome<Body> {
    if (answer instanceof NoAnswer) return failed(this.noAnswer(request, answer));
    const body = objectOf(answer.text);
    const isGood = answer.status >= 200 && answer.status < 300;
    if (isGood && needed === null) return done({} as Body);
    if (isGood && body !== undefined && needed !== null && needed in body) return done(body as Body);
    return failed(this.failureOf(answer, isGood ? undefined : body));
  }

  private failureOf({ status, headers }: RawAnswer, body: object | undefined): Failure {
    const error = errorOf(body);
    const isEnvoy = isOfEnvoy(body, error);
    if (error === undefined || isEnvoy) {
      const what = isEnvoy
        ? "is an Envoy with the filter, not the control plane's API"
        : `answered ${status}, but not as Sluice's API does`;
      const message = `${this.origin} ${what}`;
      return { exit: EXIT.unavailable, code: "UNEXPECTED_ANSWER", message, hint: "Is SLUICE_URL right?" };
    }
    if (error.code === "ROUTE_NOT_FOUND") return { ...error, exit: EXIT.denied, hint: NO_ROUTE };
    const wait = headers["retry-after"];
    if (status === 401) return { ...error, exit: EXIT.notAllowed, hint: "Is it this control plane's admin token?" };
    if (status === 403) return { ...error, exit: EXIT.notAllowed };
    if (status === 429 && wait !== undefined) return { ...error, exit: EXIT.unavailable, hint: `Wait ${wait} s` };
    const id = headers["x-request-id"];
    if (status === 500 && id !== undefined) {
      return { ...error, exit: EXIT.unavailable, hint: `Its log names the reason by the request id ${String(id)}` };
    }
    return { ...error, exit: status === 408 || status === 429 || status >= 500 ? EXIT.unavailable : EXIT.denied };
  }

  private noAnswer({ method, key }: ApiRequest, { message, code, hint }: NoAnswer): Failure {
    const failure = {
      exit: EXIT.unreachable,
      code: "UNREACHABLE",
      message: `no answer from ${this.origin}: ${message}`,
    };
    if (hint !== undefined) return { ...failure, hint };
    if (OF_TLS.test(code)) {
      return {
        ...failure,
        hint: "See SLUICE_TLS_CA_FILE, SLUICE_CLIENT_CERT_FILE and SLUICE_CLIENT_KEY_FILE: sluice --help",
      };
    }
    if (method === "GET" || NOT_SENT.test(code)) {
      return { ...failure, hint: "Does the control plane run (npm start), and is SLUICE_URL right?" };
    }
    const repeat = key === undefined ? "look before you repeat it" : "repeat it with the same --idempotency-key";
    return { ...failure, hint: `It may have been carried out all the same: ${repeat}` };
  }
}

/** A path of the API with an id in it. */
export const sessionPath = (id: string, more = ""): string => `/v1/sessions/${encodeURIComponent(id)}${more}`;

/** A query, with what is not given left out. */
export function query(fields: Readonly<Record<string, string | number | undefined>>): string {
  const given = Object.entries(fields).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, String(value)] as [string, string]],
  );
  return given.length === 0 ? "" : `?${new URLSearchParams(given).toString()}`;
}

function isWorthRepeating(answer: RawAnswer | NoAnswer): boolean {
  if (answer instanceof NoAnswer) return !OF_TLS.test(answer.code);
  return WORTH_REPEATING.includes(answer.status) && wishedWaitMs(answer) <= MAX_WAIT_MS;
}

function wishedWaitMs(answer: RawAnswer | NoAnswer): number {
  const seconds = answer instanceof NoAnswer ? 0 : Number(answer.headers["retry-after"] ?? 0);
  return Number.isFinite(seconds) ? seconds * 1000 : 0;
}

function objectOf(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

/** In either of its forms (docs/policy.md#answers). */
const isOfEnvoy = (body: object | undefined, error: Pick<Failure, "code"> | undefined): boolean =>
  OF_ENVOY.includes(error?.code ?? (body !== undefined && "code" in body ? body.code : undefined));

function errorOf(body: object | undefined): Pick<Failure, "code" | "message" | "field"> | undefined {
  const error: unknown = body !== undefined && "error" in body ? body.error : undefined;
  if (typeof error !== "object" || error === null || !("code" in error) || !("message" in error)) return undefined;
  const { code, message } = error;
  if (typeof code !== "string" || typeof message !== "string") return undefined;
  const field = "field" in error && typeof error.field === "string" ? { field: error.field } : {};
  return { code, message, ...field };
}

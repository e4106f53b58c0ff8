// A repository of a registry, over the OCI distribution protocol 1.0: what a push needs of it, and no more.
import { Failure } from "../failure.js";
import type { Held } from "./credentials.js";
import { MEDIA_TYPES, type Blob } from "./filter-image.js";
import type { Reference } from "./reference.js";
import { authorizationFor } from "./registry-auth.js";

export interface RegistryOptions {
  readonly reference: Reference;
  readonly held: Held;
  /** That of Node, but in tests of what no registry does. */
  readonly fetch: typeof fetch;
  /** After that a request has failed. */
  readonly timeoutMs: number;
}

interface Asked {
  readonly method: "HEAD" | "POST" | "PUT";
  readonly url: URL;
  readonly expected: readonly number[];
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer;
}

/** What may stand under a tag. */
const ANY_MANIFEST = [
  MEDIA_TYPES.manifest,
  "application/vnd.oci.image.index.v1+json",
  "application/vnd.docker.distribution.manifest.v2+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
].join(", ");

/** Each method throws Failure with the request, what was answered and what was expected. */
export class Repository {
  private authorization: string | undefined;

  constructor(private readonly options: RegistryOptions) {}

  /** The digest that the tag names; undefined where it names none. */
  async digestOfTag(tag: string): Promise<string | undefined> {
    const url = this.url(`manifests/${tag}`);
    const answer = await this.ask({ method: "HEAD", url, expected: [200, 404], headers: { accept: ANY_MANIFEST } });
    if (answer.status === 404) return undefined;
    const digest = answer.headers.get("docker-content-digest");
    if (digest === null) throw new Failure(`HEAD ${shown(url)}: no digest, expected the header Docker-Content-Digest`);
    return digest;
  }

  async has({ digest }: Blob): Promise<boolean> {
    const answer = await this.ask({ method: "HEAD", url: this.url(`blobs/${digest}`), expected: [200, 404] });
    return answer.status === 200;
  }

  /** In one piece. */
  async upload({ digest, bytes }: Blob): Promise<void> {
    const begun = await this.ask({ method: "POST", url: this.url("blobs/uploads/"), expected: [202], body: EMPTY });
    const url = this.uploadUrl(begun, digest);
    const headers = { "content-type": "application/octet-stream" };
    await this.ask({ method: "PUT", url, expected: [201], headers, body: bytes });
  }

  async putManifest(tag: string, { mediaType, bytes }: Blob): Promise<void> {
    const headers = { "content-type": mediaType };
    await this.ask({ method: "PUT", url: this.url(`manifests/${tag}`), expected: [201], headers, body: bytes });
  }

  private url(path: string): URL {
    const { origin, name } = this.options.reference;
    return new URL(`/v2/${name}/${path}`, origin);
  }

  private uploadUrl(begun: Response, digest: string): URL {
    const from = this.url("blobs/uploads/");
    const location = begun.headers.get("location");
    if (location === null || !URL.canParse(location, from.href))
      throw new Failure(`POST ${shown(from)}: no address for the upload, expected the header Location`);
    const url = new URL(location, from);
    if (from.protocol === "https:" && url.protocol !== "https:")
      throw new Failure(`POST ${shown(from)}: the address for the upload is ${shown(url)}, expected one over HTTPS`);
    // What is there is the registry's own, to the byte.
    url.search += `${url.search === "" ? "?" : "&"}digest=${encodeURIComponent(digest)}`;
    return url;
  }

  private async ask(asked: Asked): Promise<Response> {
    let answer = await this.send(asked);
    if (answer.status === 401 && this.isOwn(asked.url)) {
      const wasShown = this.authorization;
      const { reference, held, fetch } = this.options;
      const { host, origin } = reference;
      const challenged = { host, origin, scope: `repository:${reference.name}:pull,push`, held, fetch };
      this.authorization = await authorizationFor(answer.headers.get("www-authenticate") ?? "", challenged);
      // A token ends after minutes; a password that was rejected once is rejected again.
      if (this.authorization !== wasShown) answer = await this.send(asked);
      if (answer.status === 401 && held.credentials !== undefined)
        throw new Failure(`${host} rejects the credentials for it in ${held.told}`);
    }
    if (asked.expected.includes(answer.status)) return answer;
    const expected = asked.expected.join(" or ");
    throw new Failure(
      `${asked.method} ${shown(asked.url)}: ${answer.status}, expected ${expected}${await reasonOf(answer)}`,
    );
  }

  private async send({ method, url, headers = {}, body }: Asked): Promise<Response> {
    const { fetch, timeoutMs } = this.options;
    const authorization =
      this.isOwn(url) && this.authorization !== undefined ? { authorization: this.authorization } : {};
    try {
      return await fetch(url, {
        method,
        headers: { ...headers, ...authorization },
        // Blobs are often kept elsewhere; what is written is written where it was said.
        redirect: method === "HEAD" ? "follow" : "manual",
        signal: AbortSignal.timeout(timeoutMs),
        ...(body !== undefined && { body: new Uint8Array(body) }),
      });
    } catch (error) {
      throw new Failure(`${method} ${shown(url)}: no answer, expected one (${causeOf(error)})`);
    }
  }

  /** Only there are its credentials shown. */
  private isOwn(url: URL): boolean {
    return url.origin === new URL(this.options.reference.origin).origin;
  }
}

const EMPTY = Buffer.alloc(0);

/** Without what follows the path: that of an upload is a secret of its registry. */
const shown = ({ origin, pathname }: URL): string => `${origin}${pathname}`;

/** `fetch` says only that it failed; why is in its cause. */
function causeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  if (cause instanceof AggregateError) return causeOf(cause.errors[0]);
  return cause instanceof Error ? causeOf(cause) : error.message;
}

/** The registry's own words, in their one form: {"errors":[{"code","message"}]}. */
async function reasonOf(answer: Response): Promise<string> {
  const body = (await answer.json().catch(() => undefined)) as
    { errors?: { code?: string; message?: string }[] } | undefined;
  const [first] = Array.isArray(body?.errors) ? body.errors : [];
  return first === undefined ? "" : ` (${first.code ?? ""}: ${first.message ?? ""})`;
}

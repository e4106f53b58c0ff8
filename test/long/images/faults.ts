// What stands between a push and the registry in these tests: a way that breaks off, and a service that gives tokens.
import { createHash, randomUUID, sign, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer, request, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";
import type { Identity } from "../../../control-plane/test/support/certificates.js";

/** A way to the registry that breaks off, for good, at the first request of this kind. @returns host and port */
export async function breakingWay(to: string, method: string, path: RegExp): Promise<string> {
  const server = createServer((incoming, answer) => {
    if (!server.listening || (incoming.method === method && path.test(incoming.url ?? ""))) {
      server.close();
      server.closeAllConnections();
      return;
    }
    const [hostname, port] = to.split(":");
    // With the name that was asked for: the registry makes of it the address that an upload goes on at.
    const { method: same, url, headers } = incoming;
    const on = request({ hostname, port, method: same, path: url, headers }, (theirs) => {
      answer.writeHead(theirs.statusCode ?? 502, theirs.headers);
      theirs.pipe(answer);
    });
    incoming.pipe(on);
  });
  return listening(server);
}

export interface TokenService {
  readonly realm: string;
  /** The scopes that were asked for. */
  readonly scopes: string[];
}

/** Gives who shows these words a token of this identity, as the distribution project's "token authentication" says. */
export async function tokenService(basic: string, identity: Identity, issuer: string): Promise<TokenService> {
  const scopes: string[] = [];
  const server = createServer((incoming, answer) => {
    const asked = new URL(incoming.url ?? "", "http://token.service");
    const scope = asked.searchParams.get("scope") ?? "";
    scopes.push(scope);
    if (!shows(incoming, basic)) {
      answer.writeHead(401).end();
      return;
    }
    const audience = asked.searchParams.get("service") ?? "";
    answer.end(JSON.stringify({ token: tokenOf(identity, issuer, audience, scope) }));
  });
  return { realm: `http://${await listening(server)}/token`, scopes };
}

const shows = ({ headers }: IncomingMessage, basic: string): boolean =>
  headers.authorization === `Basic ${Buffer.from(basic).toString("base64")}`;

function tokenOf({ cert, key }: Identity, issuer: string, audience: string, scope: string): string {
  const [type = "", name = "", actions = ""] = scope.split(":");
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
  const der = new X509Certificate(readFileSync(cert)).raw;
  const now = Math.floor(Date.now() / 1000);
  const claims = {
    ...{ iss: issuer, sub: "me", aud: audience, jti: randomUUID() },
    ...{ iat: now, nbf: now - 60, exp: now + 300 },
    access: [{ type, name, actions: actions.split(",") }],
  };
  const kid = createHash("sha256").update(der).digest("hex");
  const text = `${part({ typ: "JWT", alg: "ES256", kid, x5c: [der.toString("base64")] })}.${part(claims)}`;
  const signed = sign("sha256", Buffer.from(text), { key: readFileSync(key), dsaEncoding: "ieee-p1363" });
  return `${text}.${signed.toString("base64url")}`;
}

async function listening(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

// Reads what only the control plane's settings have out of an environment, and collects what is wrong with any of them.
import { MAX_TOKEN_CHARS, MIN_TOKEN_CHARS } from "../app/access/admin.js";
import type { AdminKind, AdminToken } from "../app/access/admin.js";
import { networkFrom } from "../app/access/trusted-proxies.js";
import type { Network } from "../app/access/trusted-proxies.js";
import { deriveKeys, readSecret } from "../domain/keys.js";
import type { Keys } from "../domain/keys.js";
import type { TlsFile, TlsFiles } from "../tls/tls.js";
import { EnvironmentReader } from "./environment.js";
import type { Environment } from "./environment.js";

const LOG_LEVELS = ["trace", "debug", "info", "warn", "error", "fatal", "silent"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** A setting that cannot be used. Its text names the variable and what was expected, never the value of a secret. */
export type SettingsViolation = string;

const HEADER_SAFE = /^[\x21-\x7e]*$/;
const DURATION = /^(\d{1,15})(ms|s|m|h|d)?$/;
const TIMES = "a time such as 500, 90s, 15m, 12h or 30d (without a unit: ms)";
const NETWORKS = "addresses and networks such as 192.0.2.7, 10.0.0.0/8 or 2001:db8::/32, separated by commas";
const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** A setting that is wrong counts as its default, beside its violation. */
export class SettingsReader extends EnvironmentReader {
  constructor(
    env: Environment,
    private readonly violations: SettingsViolation[],
  ) {
    super(env, ({ variable, expected, given }) => violations.push(`${variable}: expected ${expected}, got "${given}"`));
  }

  /** In ms. */
  duration<Default extends number | null>(name: string, byDefault: Default, minMs = 1): number | Default {
    const given = this.given(name);
    if (given === undefined) return byDefault;
    const [, digits = "", unit = "ms"] = DURATION.exec(given) ?? [];
    const ms = Number(digits) * (UNIT_MS[unit] ?? 1);
    if (ms >= minMs && Number.isSafeInteger(ms)) return ms;
    const expected = ms >= 1 && ms < minMs ? `at least ${minMs} ms` : TIMES;
    this.violated({ variable: name, expected, given });
    return byDefault;
  }

  logLevel(name: string): LogLevel {
    return this.oneOf(name, LOG_LEVELS, "info");
  }

  requiredKeys(name: string): Keys | undefined {
    if (this.given(name) !== undefined) return this.keys(name);
    this.violations.push(`${name} is not set: expected a secret of at least 32 random bytes, in hex or base64`);
    return undefined;
  }

  keys(name: string): Keys | undefined {
    const given = this.given(name);
    if (given === undefined) return undefined;
    const reading = readSecret(given);
    if (reading.ok) return deriveKeys(reading.secret);
    this.violations.push(`${name} ${reading.violation}: expected at least 32 random bytes, in hex or base64`);
    return undefined;
  }

  /** None, or several separated by commas. */
  networks(name: string): Network[] {
    const entries = (this.given(name) ?? "").split(",").map((entry) => entry.trim());
    return entries.flatMap((entry) => {
      if (entry === "") return [];
      const network = networkFrom(entry);
      if (network === undefined) this.violated({ variable: name, expected: NETWORKS, given: entry });
      return network ?? [];
    });
  }

  /** One token, or several separated by commas. */
  adminTokens(name: string, kind: AdminKind, isRequired: boolean): AdminToken[] {
    const expected = `expected ${MIN_TOKEN_CHARS} to ${MAX_TOKEN_CHARS} visible ASCII characters`;
    const given = this.given(name);
    if (given === undefined) {
      if (isRequired) this.violations.push(`${name} is not set: ${expected}`);
      return [];
    }
    const tokens = given.split(",").map((token) => token.trim());
    const violation = tokens.map(tokenViolation).find((one) => one !== null);
    if (violation !== undefined) this.violations.push(`${name} ${violation}: ${expected}`);
    return tokens.map((token) => ({ kind, token }));
  }

  /** The port's own variables before those that all programs share. Null: no TLS. */
  tlsFiles(): TlsFiles | null {
    const cert = this.tlsFile("TLS_CERT_FILE");
    const key = this.tlsFile("TLS_KEY_FILE");
    const clientCa = this.tlsFile("TLS_CLIENT_CA_FILE");
    if (cert !== null && key !== null) return { cert, key, clientCa };
    const alone = cert ?? key ?? clientCa;
    if (alone !== null) {
      this.violations.push(`${alone.variable}: TLS takes both SLUICE_TLS_CERT_FILE and SLUICE_TLS_KEY_FILE`);
    }
    return null;
  }

  private tlsFile(name: string): TlsFile | null {
    const own = `SLUICE_HTTP_${name}`;
    const variable = this.given(own) === undefined ? `SLUICE_${name}` : own;
    const path = this.file(variable);
    return path === undefined ? null : { variable, path };
  }
}

function tokenViolation(token: string): string | null {
  if (token.length < MIN_TOKEN_CHARS) return "is too short";
  if (token.length > MAX_TOKEN_CHARS) return "is too long";
  return HEADER_SAFE.test(token) ? null : "holds a character that no header carries";
}

// Reads what only the control plane's settings have out of an environment, and collects what is wrong with any of them.
import { MAX_TOKEN_CHARS, MIN_TOKEN_CHARS } from "../app/access/admin.js";
import type { AdminKind, AdminToken } from "../app/access/admin.js";
import { networkFrom } from "../app/access/trusted-proxies.js";
import type { Network } from "../app/access/trusted-proxies.js";
import { deriveKeys, readSecret } from "../domain/keys.js";
import type { Keys } from "../domain/keys.js";
import type { TlsFile, TlsFiles } from "../tls/tls.js";
import { durationAtLeast } from "./durations.js";
import { EnvironmentReader } from "./environment.js";
import type { Environment } from "./environment.js";
import { isHeaderSafe } from "./secret-text.js";
import type { SecretVariable, Variable } from "./variables.js";

const LOG_LEVELS = ["trace", "debug", "info", "warn", "error", "fatal", "silent"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** A setting that cannot be used. Its text names the variable and what was expected, never the value of a secret. */
export type SettingsViolation = string;

const NETWORKS = "addresses and networks such as 192.0.2.7, 10.0.0.0/8 or 2001:db8::/32, separated by commas";

/** The port's own TLS variables, and those that all programs share. */
const TLS_VARIABLES = {
  cert: ["SLUICE_HTTP_TLS_CERT_FILE", "SLUICE_TLS_CERT_FILE"],
  key: ["SLUICE_HTTP_TLS_KEY_FILE", "SLUICE_TLS_KEY_FILE"],
  clientCa: ["SLUICE_HTTP_TLS_CLIENT_CA_FILE", "SLUICE_TLS_CLIENT_CA_FILE"],
} as const;

/** A setting that is wrong counts as its default, beside its violation. */
export class SettingsReader extends EnvironmentReader {
  /** @param sourceOf the variable that a secret comes from: its own, or the one that names its file */
  constructor(
    env: Environment,
    private readonly violations: SettingsViolation[],
    private readonly sourceOf: (name: SecretVariable) => string = (name) => name,
  ) {
    super(env, ({ variable, expected, given }) => violations.push(`${variable}: expected ${expected}, got "${given}"`));
  }

  /** In ms. Below `minMs` a number is taken for one of another unit. */
  duration<Default extends number | null>(name: Variable, byDefault: Default, minMs: number): number | Default {
    const given = this.given(name);
    if (given === undefined) return byDefault;
    const result = durationAtLeast(given, minMs);
    if (result.ok) return result.ms;
    this.violations.push(`${name}: ${result.violation}`);
    return byDefault;
  }

  logLevel(name: Variable): LogLevel {
    return this.oneOf(name, LOG_LEVELS, "info");
  }

  requiredKeys(name: SecretVariable): Keys | undefined {
    if (this.given(name) !== undefined) return this.keys(name);
    if (!this.isInFile(name))
      this.violations.push(`${name} is not set: expected a secret of at least 32 random bytes, in hex or base64`);
    return undefined;
  }

  keys(name: SecretVariable): Keys | undefined {
    const given = this.given(name);
    if (given === undefined) return undefined;
    const reading = readSecret(given);
    if (reading.ok) return deriveKeys(reading.secret);
    this.violations.push(
      `${this.sourceOf(name)} ${reading.violation}: expected at least 32 random bytes, in hex or base64`,
    );
    return undefined;
  }

  /** None, or several separated by commas. */
  networks(name: Variable): Network[] {
    const entries = (this.given(name) ?? "").split(",").map((entry) => entry.trim());
    return entries.flatMap((entry) => {
      if (entry === "") return [];
      const network = networkFrom(entry);
      if (network === undefined) this.violated({ variable: name, expected: NETWORKS, given: entry });
      return network ?? [];
    });
  }

  /** One token, or several separated by commas. */
  adminTokens(name: SecretVariable, kind: AdminKind, isRequired: boolean): AdminToken[] {
    const expected = `expected ${MIN_TOKEN_CHARS} to ${MAX_TOKEN_CHARS} visible ASCII characters`;
    const given = this.given(name);
    if (given === undefined) {
      if (isRequired && !this.isInFile(name)) this.violations.push(`${name} is not set: ${expected}`);
      return [];
    }
    const tokens = given.split(",").map((token) => token.trim());
    const violation = tokens.map(tokenViolation).find((one) => one !== null);
    if (violation !== undefined) this.violations.push(`${this.sourceOf(name)} ${violation}: ${expected}`);
    return tokens.map((token) => ({ kind, token }));
  }

  /** Then what kept it from being read is said already. */
  private isInFile(name: SecretVariable): boolean {
    return this.sourceOf(name) !== name;
  }

  /** The port's own variables before those that all programs share. Null: no TLS. */
  tlsFiles(): TlsFiles | null {
    const cert = this.tlsFile(...TLS_VARIABLES.cert);
    const key = this.tlsFile(...TLS_VARIABLES.key);
    const clientCa = this.tlsFile(...TLS_VARIABLES.clientCa);
    if (cert !== null && key !== null) return { cert, key, clientCa };
    const alone = cert ?? key ?? clientCa;
    if (alone !== null) {
      this.violations.push(`${alone.variable}: TLS takes both SLUICE_TLS_CERT_FILE and SLUICE_TLS_KEY_FILE`);
    }
    return null;
  }

  private tlsFile(own: Variable, shared: Variable): TlsFile | null {
    const variable = this.given(own) === undefined ? shared : own;
    const path = this.file(variable);
    return path === undefined ? null : { variable, path };
  }
}

function tokenViolation(token: string): string | null {
  if (token.length < MIN_TOKEN_CHARS) return "is too short";
  if (token.length > MAX_TOKEN_CHARS) return "is too long";
  return isHeaderSafe(token) ? null : "holds a character that no header carries";
}

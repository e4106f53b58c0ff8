// The settings of the process: read from an environment, judged all at once, defaults filled in.
import { ENV_SECRET, ENV_SECRET_ALSO } from "../../assembly/contract.js";
import { deriveKeys, readSecret } from "./domain/keys.js";
import type { Keys } from "./domain/keys.js";

export interface Settings {
  readonly http: { readonly host: string; readonly port: number };
  readonly xds: { readonly host: string; readonly port: number };
  /** Folder of the store. */
  readonly dataDir: string;
  /** The policy file. */
  readonly policyPath: string;
  /** Where the Envoys find the filter. */
  readonly filterPath: string;
  /** What tokens are made with, and the edges' credential. */
  readonly keys: Keys;
  /** A second set whose credential is accepted, during a rotation. */
  readonly keysAlso: Keys | undefined;
  readonly adminToken: string;
  readonly logLevel: LogLevel;
}

export type Environment = Readonly<Record<string, string | undefined>>;

const LOG_LEVELS = ["trace", "debug", "info", "warn", "error", "fatal", "silent"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

const MAX_PORT = 65535;
/** 16 random characters of base64 are 96 bits. */
const MIN_ADMIN_TOKEN_CHARS = 16;
const MAX_ADMIN_TOKEN_CHARS = 256;
const HEADER_SAFE = /^[\x21-\x7e]*$/;

/** A setting that cannot be used. Its text names the variable and what was expected, never the value of a secret. */
export type SettingsFault = string;

/** Every fault at once, or the settings. An empty variable counts as not set. */
export function readSettings(env: Environment): Settings | { readonly faults: readonly SettingsFault[] } {
  const faults: SettingsFault[] = [];
  const reader = new Reader(env, faults);
  const settings = {
    http: { host: reader.text("SLUICE_HTTP_HOST", "127.0.0.1"), port: reader.port("SLUICE_HTTP_PORT", 8080) },
    xds: { host: reader.text("SLUICE_XDS_HOST", "127.0.0.1"), port: reader.port("SLUICE_XDS_PORT", 18000) },
    dataDir: reader.text("SLUICE_DATA_DIR", ".sluice"),
    policyPath: reader.text("SLUICE_POLICY", "policy.yaml"),
    filterPath: reader.text("SLUICE_FILTER_PATH", "build/sluice.wasm"),
    keys: reader.requiredKeys(ENV_SECRET),
    keysAlso: reader.keys(ENV_SECRET_ALSO),
    adminToken: reader.adminToken("SLUICE_ADMIN_TOKEN"),
    logLevel: reader.logLevel("SLUICE_LOG_LEVEL"),
  };
  const { keys, adminToken } = settings;
  if (keys !== undefined && keys.keyId === settings.keysAlso?.keyId) {
    faults.push(`${ENV_SECRET_ALSO} has the same key id as ${ENV_SECRET}: use another secret for one of them`);
  }
  if (keys === undefined || adminToken === undefined || faults.length > 0) return { faults };
  return { ...settings, keys, adminToken };
}

class Reader {
  constructor(
    private readonly env: Environment,
    private readonly faults: SettingsFault[],
  ) {}

  text(name: string, byDefault: string): string {
    return this.given(name) ?? byDefault;
  }

  port(name: string, byDefault: number): number {
    const given = this.given(name);
    if (given === undefined) return byDefault;
    const port = Number(given);
    if (/^\d{1,5}$/.test(given) && port <= MAX_PORT) return port;
    this.faults.push(`${name}: expected a port from 0 to ${MAX_PORT} (0: any that is free), got "${given}"`);
    return byDefault;
  }

  logLevel(name: string): LogLevel {
    const given = this.given(name) ?? "info";
    const level = LOG_LEVELS.find((one) => one === given);
    if (level !== undefined) return level;
    this.faults.push(`${name}: expected one of ${LOG_LEVELS.join(", ")}, got "${given}"`);
    return "info";
  }

  requiredKeys(name: string): Keys | undefined {
    if (this.given(name) !== undefined) return this.keys(name);
    this.faults.push(`${name} is not set: expected a secret of at least 32 random bytes, in hex or base64`);
    return undefined;
  }

  keys(name: string): Keys | undefined {
    const given = this.given(name);
    if (given === undefined) return undefined;
    const reading = readSecret(given);
    if (reading.ok) return deriveKeys(reading.secret);
    this.faults.push(`${name} ${reading.fault}: expected at least 32 random bytes, in hex or base64`);
    return undefined;
  }

  adminToken(name: string): string | undefined {
    const expected = `expected ${MIN_ADMIN_TOKEN_CHARS} to ${MAX_ADMIN_TOKEN_CHARS} visible ASCII characters`;
    const given = this.given(name);
    if (given === undefined) this.faults.push(`${name} is not set: ${expected}`);
    else if (given.length < MIN_ADMIN_TOKEN_CHARS) this.faults.push(`${name} is too short: ${expected}`);
    else if (given.length > MAX_ADMIN_TOKEN_CHARS) this.faults.push(`${name} is too long: ${expected}`);
    else if (!HEADER_SAFE.test(given))
      this.faults.push(`${name} holds a character that no header carries: ${expected}`);
    else return given;
    return undefined;
  }

  private given(name: string): string | undefined {
    const value = this.env[name];
    return value === "" ? undefined : value;
  }
}

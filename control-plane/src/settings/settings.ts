// The settings of the process: read from an environment, validated all at once, defaults filled in.
import type { AdminToken } from "../app/access/admin.js";
import type { Retention } from "../app/upkeep/retention.js";
import type { LogRetention } from "../app/upkeep/log-retention.js";
import type { RequestRate } from "../app/access/request-rates.js";
import type { Network } from "../app/access/trusted-proxies.js";
import type { TakenCredentials } from "../domain/issuers/read-issuers.js";
import type { Keys } from "../domain/keys.js";
import type { ConnectionBounds } from "../http/connection-bounds.js";
import { distinctCredentials, ENV_OF_KIND } from "./distinct-credentials.js";
import type { Environment } from "./environment.js";
import { sharedAddress } from "./distinct-addresses.js";
import type { Address } from "./address.js";
import type { ReadSecrets } from "./secret-files.js";
import { SettingsReader } from "./settings-reader.js";
import type { LogLevel, SettingsViolation } from "./settings-reader.js";
import { unknownVariables } from "./unknown-variables.js";
import { readStatusAddress } from "./status-address.js";
import { readStoreAddress } from "./store-address.js";
import { readTracing } from "./tracing.js";
import type { TracingSettings } from "./tracing.js";
import type { SecretVariable } from "./variables.js";
import type { StoreAddress } from "../store/store-address.js";
import type { TlsFiles } from "../tls/tls.js";

/** Where the control plane listens. */
export interface Listener extends Address {
  /** Null: plain text. */
  readonly tls: TlsFiles | null;
}

export interface Settings {
  readonly http: Listener;
  /** Plain text always: no supervisor's probe shows a certificate. */
  readonly status: Address;
  readonly store: StoreAddress;
  /** The policy file. */
  readonly policyPath: string;
  /** What tokens are made with, and the edges' credential. */
  readonly keys: Keys;
  /** A second set whose credential is accepted, during a rotation. */
  readonly keysAlso: Keys | undefined;
  /** At least one of an operator. */
  readonly adminTokens: readonly AdminToken[];
  /** The issuers' file; undefined: there is none. */
  readonly issuersPath: string | undefined;
  /** What no issuer of that file may be. */
  readonly taken: TakenCredentials;
  readonly apiRate: RequestRate;
  /** Whose X-Forwarded-For counts. */
  readonly trustedProxies: readonly Network[];
  readonly connections: ConnectionBounds;
  readonly retention: Retention;
  /** Of the invalidation log. */
  readonly logKept: LogRetention;
  readonly logLevel: LogLevel;
  /** Null: no spans are made. */
  readonly tracing: TracingSettings | null;
}

/** A login service that signs in ten thousand users at once is served; a loop that runs wild is not. */
const API_PER_SECOND = 2000;
const API_BURST = 20_000;
const MAX_API_RATE = 1_000_000;
/** Far above the workers of any number of edges one control plane serves; below what would exhaust the process. */
const CONNECTIONS = 10_000;
const MAX_CONNECTIONS = 1_000_000;
/** A connection counts as such until its first request: of callers that mean it there are few at a time. */
const UNAUTHENTICATED = 2000;
const UNAUTHENTICATED_PER_ADDRESS = 200;
const AUDIT_ENTRIES = 100_000;
const MAX_AUDIT_ENTRIES = 10_000_000;
const AUDIT_KEPT_MS = 365 * 86_400_000;
const LOG_ENTRIES = 1_000_000;
const LOG_KEPT_MS = 3_600_000;
/** Client details that are gone sooner tell nobody anything; shorter ones are a wrong unit, and what went is gone for good. */
const MIN_METADATA_KEPT_MS = 60_000;
/** The same of who did what: 365 and 31536000, a year in days and in s, are both less in ms. */
const MIN_AUDIT_KEPT_MS = 86_400_000;
/** Shorter, an Envoy that loses its connection for a moment would ask about each of its sessions anew. */
const MIN_LOG_KEPT_MS = 60_000;

const NO_FILES: Omit<ReadSecrets, "env"> = { files: new Map(), violations: [] };

/**
 * Every violation at once, or the settings. Misspelt variables are named alone: whatever else is wrong may follow from them.
 *
 * @param env with each secret in its own variable; `secrets` says which of them stood in files
 */
export function readSettings(
  env: Environment,
  secrets: Omit<ReadSecrets, "env"> = NO_FILES,
): Settings | { readonly violations: readonly SettingsViolation[] } {
  const unknown = unknownVariables(env);
  if (unknown.length > 0) return { violations: unknown };
  const violations: SettingsViolation[] = [...secrets.violations];
  const sourceOf = (name: SecretVariable): string => secrets.files.get(name)?.variable ?? name;
  const reader = new SettingsReader(env, violations, sourceOf);
  const settings = {
    http: {
      host: reader.text("SLUICE_HTTP_HOST", "127.0.0.1"),
      port: reader.port("SLUICE_HTTP_PORT", 0, 8080),
      tls: reader.tlsFiles(),
    },
    status: readStatusAddress(env, reader),
    store: readStoreAddress({ reader, violations, sourceOf }),
    policyPath: reader.text("SLUICE_POLICY", "policy.yaml"),
    keys: reader.requiredKeys("SLUICE_SECRET"),
    keysAlso: reader.keys("SLUICE_SECRET_ALSO"),
    adminTokens: [
      ...reader.adminTokens(ENV_OF_KIND.operator, "operator", true),
      ...reader.adminTokens(ENV_OF_KIND.issuer, "issuer", false),
    ],
    issuersPath: reader.file("SLUICE_ISSUERS_FILE"),
    apiRate: {
      perSecond: reader.integer("SLUICE_API_RATE", MAX_API_RATE, API_PER_SECOND),
      burst: reader.integer("SLUICE_API_BURST", MAX_API_RATE, API_BURST),
    },
    trustedProxies: reader.networks("SLUICE_TRUSTED_PROXIES"),
    connections: {
      total: reader.integer("SLUICE_HTTP_CONNECTIONS", MAX_CONNECTIONS, CONNECTIONS),
      unauthenticated: reader.integer("SLUICE_HTTP_CONNECTIONS_UNAUTHENTICATED", MAX_CONNECTIONS, UNAUTHENTICATED),
      perAddress: reader.integer("SLUICE_HTTP_CONNECTIONS_PER_ADDRESS", MAX_CONNECTIONS, UNAUTHENTICATED_PER_ADDRESS),
    },
    retention: {
      metadataMs: reader.duration("SLUICE_METADATA_RETENTION", null, MIN_METADATA_KEPT_MS),
      audit: {
        maxEntries: reader.integer("SLUICE_AUDIT_ENTRIES", MAX_AUDIT_ENTRIES, AUDIT_ENTRIES),
        maxAgeMs: reader.duration("SLUICE_AUDIT_RETENTION", AUDIT_KEPT_MS, MIN_AUDIT_KEPT_MS),
      },
    },
    logKept: {
      maxEntries: reader.integer("SLUICE_INVALIDATIONS_ENTRIES", LOG_ENTRIES, LOG_ENTRIES),
      maxAgeMs: reader.duration("SLUICE_INVALIDATIONS_RETENTION", LOG_KEPT_MS, MIN_LOG_KEPT_MS),
    },
    logLevel: reader.logLevel("SLUICE_LOG_LEVEL"),
    tracing: readTracing(reader, violations),
  };
  const { keys } = settings;
  if (keys !== undefined && keys.keyId === settings.keysAlso?.keyId) {
    const [also, secret] = [sourceOf("SLUICE_SECRET_ALSO"), sourceOf("SLUICE_SECRET")];
    violations.push(`${also} has the same key id as ${secret}: use another secret for one of them`);
  }
  const { taken, ...shared } = distinctCredentials(env, settings, sourceOf);
  violations.push(...shared.violations, ...sharedAddress(settings));
  if (keys === undefined || violations.length > 0) return { violations };
  return { ...settings, keys, taken };
}

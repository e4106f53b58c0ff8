// Whether and where spans go: OpenTelemetry's own variables, held to what this program can do.
import type { NamedFile } from "../store/store-address.js";
import type { EnvironmentReader } from "./environment.js";
import type { SettingsViolation } from "./settings-reader.js";
import type { OtelVariable } from "./variables.js";

const SAMPLERS = [
  "always_on",
  "always_off",
  "traceidratio",
  "parentbased_always_on",
  "parentbased_always_off",
  "parentbased_traceidratio",
] as const;

export interface SamplerSettings {
  readonly kind: (typeof SAMPLERS)[number];
  /** From 0 to 1, of traces; of the samplers by ratio. */
  readonly ratio: number;
}

export interface TracingSettings {
  /** Where spans are sent. */
  readonly url: string;
  /** May hold credentials: shown nowhere. */
  readonly headers: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  /** PEM files; null: none. */
  readonly tls: { readonly ca: NamedFile | null; readonly cert: NamedFile | null; readonly key: NamedFile | null };
  readonly sampler: SamplerSettings;
  /** What the operator says of this process, by attribute. */
  readonly resource: Readonly<Record<string, string>>;
  readonly batch: {
    /** Spans that may wait. */
    readonly maxQueueSize: number;
    /** Of a call. */
    readonly maxExportBatchSize: number;
    readonly scheduledDelayMillis: number;
    readonly exportTimeoutMillis: number;
  };
}

type Reader = Pick<EnvironmentReader, "given" | "parsed" | "integer" | "oneOf" | "file">;

const TRACES_PATH = "v1/traces";
const MAX_TIME_MS = 600_000;
const MAX_WAITING = 65_536;

/** Null: tracing is off, or no endpoint is set; of all else nothing is read then. */
export function readTracing(reader: Reader, violations: SettingsViolation[]): TracingSettings | null {
  if (reader.given("OTEL_SDK_DISABLED")?.toLowerCase() === "true") return null;
  if (reader.given("OTEL_TRACES_EXPORTER") === "none") return null;
  const url = urlOf(reader, violations);
  if (url === undefined) return null;
  reader.oneOf("OTEL_TRACES_EXPORTER", ["otlp", "none"], "otlp");
  // Whatever else it is set to needs another exporter.
  reader.oneOf(own(reader, "PROTOCOL"), ["http/protobuf"], "http/protobuf");
  const ratio = reader.parsed("OTEL_TRACES_SAMPLER_ARG", 1, "a number from 0 to 1", ratioOf);
  const maxQueueSize = reader.integer("OTEL_BSP_MAX_QUEUE_SIZE", MAX_WAITING, 2048);
  const batchSize = reader.integer("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", MAX_WAITING, 512);
  const headers = own(reader, "HEADERS");
  return {
    url,
    headers: pairs(reader, violations, headers, { isShown: false, isValue: (value) => HEADER_VALUE.test(value) }),
    timeoutMs: reader.integer(own(reader, "TIMEOUT"), MAX_TIME_MS, 10_000),
    tls: tlsOf(reader, violations),
    sampler: { kind: reader.oneOf("OTEL_TRACES_SAMPLER", SAMPLERS, "parentbased_always_on"), ratio },
    resource: resourceOf(reader, violations),
    batch: {
      maxQueueSize,
      maxExportBatchSize: Math.min(batchSize, maxQueueSize),
      scheduledDelayMillis: reader.integer("OTEL_BSP_SCHEDULE_DELAY", MAX_TIME_MS, 5000),
      exportTimeoutMillis: reader.integer("OTEL_BSP_EXPORT_TIMEOUT", MAX_TIME_MS, 30_000),
    },
  };
}

type OfExporter = "PROTOCOL" | "HEADERS" | "TIMEOUT" | "CERTIFICATE" | "CLIENT_CERTIFICATE" | "CLIENT_KEY";

/** What is set for traces alone comes before what is set for all signals. */
function own(reader: Reader, what: OfExporter): OtelVariable {
  const forTraces: OtelVariable = `OTEL_EXPORTER_OTLP_TRACES_${what}`;
  return reader.given(forTraces) === undefined ? `OTEL_EXPORTER_OTLP_${what}` : forTraces;
}

/** That for traces is used as it is; that for all signals is what the path of traces is put behind. */
function urlOf(reader: Reader, violations: SettingsViolation[]): string | undefined {
  const [forTraces, forAll] = ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"] as const;
  const variable = reader.given(forTraces) === undefined ? forAll : forTraces;
  const text = reader.given(variable);
  if (text === undefined) return undefined;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !["http:", "https:"].includes(url.protocol)) {
    violations.push(`${variable}: expected a URL of http:// or https://`);
    return undefined;
  }
  if (url.username !== "" || url.password !== "" || url.search !== "" || url.hash !== "") {
    const instead = "a credential belongs into OTEL_EXPORTER_OTLP_HEADERS";
    violations.push(`${variable}: expected a URL without a user, a query or a fragment: ${instead}`);
    return undefined;
  }
  if (variable === forAll) url.pathname = `${url.pathname.replace(/\/$/, "")}/${TRACES_PATH}`;
  return url.href;
}

function resourceOf(reader: Reader, violations: SettingsViolation[]): Record<string, string> {
  const isValue = (): boolean => true;
  const attributes = pairs(reader, violations, "OTEL_RESOURCE_ATTRIBUTES", { isShown: true, isValue });
  const name = reader.given("OTEL_SERVICE_NAME");
  return name === undefined ? attributes : { ...attributes, "service.name": name };
}

interface PairRules {
  readonly isShown: boolean;
  readonly isValue: (value: string) => boolean;
}

/** A scheme, a space and a credential, for one. */
const HEADER_VALUE = /^[\x20-\x7e]+$/;
const NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z/-]{1,255}$/;

/** `name=value,…`, each value with %-escapes. */
function pairs(
  reader: Reader,
  violations: SettingsViolation[],
  variable: OtelVariable,
  { isShown, isValue }: PairRules,
): Record<string, string> {
  const read: Record<string, string> = {};
  for (const part of (reader.given(variable) ?? "").split(",").map((one) => one.trim())) {
    if (part === "") continue;
    const equals = part.indexOf("=");
    const name = part.slice(0, Math.max(equals, 0)).trim();
    const value = decoded(part.slice(equals + 1).trim());
    if (value !== undefined && NAME.test(name) && isValue(value)) {
      read[name] = value;
    } else {
      const got = isShown ? `, got "${part}"` : "";
      violations.push(`${variable}: expected name=value pairs, separated by commas, with %-escapes${got}`);
      break;
    }
  }
  return read;
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

const ratioOf = (text: string): number | undefined =>
  /^\d*\.?\d+$/.test(text) && Number(text) <= 1 ? Number(text) : undefined;

function tlsOf(reader: Reader, violations: SettingsViolation[]): TracingSettings["tls"] {
  const named = (what: OfExporter): NamedFile | null => {
    const variable = own(reader, what);
    const path = reader.file(variable);
    return path === undefined ? null : { variable, path };
  };
  const [ca, cert, key] = [named("CERTIFICATE"), named("CLIENT_CERTIFICATE"), named("CLIENT_KEY")];
  const alone = cert === null ? key : key === null ? cert : null;
  if (alone !== null) {
    const both = "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE and OTEL_EXPORTER_OTLP_CLIENT_KEY";
    violations.push(`${alone.variable}: a client's certificate takes both ${both}`);
  }
  return { ca, cert, key };
}

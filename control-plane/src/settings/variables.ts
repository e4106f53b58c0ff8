// Every variable that a program of this repository reads: a reader takes no other name. Imports nothing.

/** What callers and edges show, and what tokens are made with. */
export const CREDENTIAL_VARIABLES = [
  "SLUICE_SECRET",
  "SLUICE_SECRET_ALSO",
  "SLUICE_ADMIN_TOKEN",
  "SLUICE_ISSUER_TOKEN",
] as const;

/** Each may stand in a file instead, which SLUICE_…_FILE names. A store's URL with a password must. */
export const SECRET_VARIABLES = [...CREDENTIAL_VARIABLES, "SLUICE_STORE", "SLUICE_STORE_SENTINEL"] as const;

/** The listener's files: those that all programs share, and its own, each in place of one of them. */
export const TLS_VARIABLES = [
  "SLUICE_TLS_CERT_FILE",
  "SLUICE_TLS_KEY_FILE",
  "SLUICE_TLS_CLIENT_CA_FILE",
  "SLUICE_HTTP_TLS_CERT_FILE",
  "SLUICE_HTTP_TLS_KEY_FILE",
  "SLUICE_HTTP_TLS_CLIENT_CA_FILE",
] as const;

const OTHER_VARIABLES = [
  // The control plane.
  "SLUICE_HTTP_HOST",
  "SLUICE_HTTP_PORT",
  "SLUICE_STATUS_HOST",
  "SLUICE_STATUS_PORT",
  "SLUICE_TRUSTED_PROXIES",
  "SLUICE_DATA_DIR",
  "SLUICE_STORE_CA_FILE",
  "SLUICE_STORE_CERT_FILE",
  "SLUICE_STORE_KEY_FILE",
  "SLUICE_STORE_REPLICAS",
  "SLUICE_POLICY",
  "SLUICE_ISSUERS_FILE",
  "SLUICE_API_RATE",
  "SLUICE_API_BURST",
  "SLUICE_HTTP_CONNECTIONS",
  "SLUICE_HTTP_CONNECTIONS_UNAUTHENTICATED",
  "SLUICE_HTTP_CONNECTIONS_PER_ADDRESS",
  ...TLS_VARIABLES,
  "SLUICE_METADATA_RETENTION",
  "SLUICE_AUDIT_ENTRIES",
  "SLUICE_AUDIT_RETENTION",
  "SLUICE_INVALIDATIONS_ENTRIES",
  "SLUICE_INVALIDATIONS_RETENTION",
  "SLUICE_LOG_LEVEL",
  // npm start and the demo service.
  "SLUICE_PROXY_HOST",
  "SLUICE_PROXY_PORT",
  "SLUICE_ENVOY_ADMIN_PORT",
  "SLUICE_UPSTREAM_HOST",
  "SLUICE_UPSTREAM_PORT",
  // The command line.
  "SLUICE_CONFIG",
  "SLUICE_URL",
  "SLUICE_TLS_CA_FILE",
  "SLUICE_CLIENT_CERT_FILE",
  "SLUICE_CLIENT_KEY_FILE",
] as const;

/** OpenTelemetry's own, as its specification has them. Others that begin so may be set for other programs. */
export const OTEL_VARIABLES = [
  "OTEL_SDK_DISABLED",
  "OTEL_TRACES_EXPORTER",
  "OTEL_SERVICE_NAME",
  "OTEL_RESOURCE_ATTRIBUTES",
  "OTEL_TRACES_SAMPLER",
  "OTEL_TRACES_SAMPLER_ARG",
  "OTEL_EXPORTER_OTLP_ENDPOINT",
  "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
  "OTEL_EXPORTER_OTLP_PROTOCOL",
  "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL",
  "OTEL_EXPORTER_OTLP_HEADERS",
  "OTEL_EXPORTER_OTLP_TRACES_HEADERS",
  "OTEL_EXPORTER_OTLP_TIMEOUT",
  "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT",
  "OTEL_EXPORTER_OTLP_CERTIFICATE",
  "OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE",
  "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE",
  "OTEL_EXPORTER_OTLP_TRACES_CLIENT_CERTIFICATE",
  "OTEL_EXPORTER_OTLP_CLIENT_KEY",
  "OTEL_EXPORTER_OTLP_TRACES_CLIENT_KEY",
  "OTEL_BSP_SCHEDULE_DELAY",
  "OTEL_BSP_EXPORT_TIMEOUT",
  "OTEL_BSP_MAX_QUEUE_SIZE",
  "OTEL_BSP_MAX_EXPORT_BATCH_SIZE",
] as const;

export type OtelVariable = (typeof OTEL_VARIABLES)[number];
export type SecretVariable = (typeof SECRET_VARIABLES)[number];
export type SecretFileVariable = `${SecretVariable}_FILE`;
/** Of this project: what begins like one and is none is misspelt. */
export type OwnVariable = SecretVariable | SecretFileVariable | (typeof OTHER_VARIABLES)[number];
export type Variable = OwnVariable | OtelVariable;

export const fileVariable = (name: SecretVariable): SecretFileVariable => `${name}_FILE`;

export const VARIABLES: readonly OwnVariable[] = [
  ...SECRET_VARIABLES,
  ...SECRET_VARIABLES.map(fileVariable),
  ...OTHER_VARIABLES,
];

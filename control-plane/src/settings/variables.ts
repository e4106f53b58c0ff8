// Every SLUICE_ variable that a program of this repository reads: a reader takes no other name. Imports nothing.

/** What callers and edges show, and what tokens are made with. */
export const CREDENTIAL_VARIABLES = [
  "SLUICE_SECRET",
  "SLUICE_SECRET_ALSO",
  "SLUICE_ADMIN_TOKEN",
  "SLUICE_ISSUER_TOKEN",
] as const;

/** Each may stand in a file instead, which SLUICE_…_FILE names. A store's URL with a password must. */
export const SECRET_VARIABLES = [...CREDENTIAL_VARIABLES, "SLUICE_STORE", "SLUICE_STORE_SENTINEL"] as const;

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
  "SLUICE_TLS_CERT_FILE",
  "SLUICE_TLS_KEY_FILE",
  "SLUICE_TLS_CLIENT_CA_FILE",
  "SLUICE_HTTP_TLS_CERT_FILE",
  "SLUICE_HTTP_TLS_KEY_FILE",
  "SLUICE_HTTP_TLS_CLIENT_CA_FILE",
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

export type SecretVariable = (typeof SECRET_VARIABLES)[number];
export type SecretFileVariable = `${SecretVariable}_FILE`;
export type Variable = SecretVariable | SecretFileVariable | (typeof OTHER_VARIABLES)[number];

export const fileVariable = (name: SecretVariable): SecretFileVariable => `${name}_FILE`;

export const VARIABLES: readonly Variable[] = [
  ...SECRET_VARIABLES,
  ...SECRET_VARIABLES.map(fileVariable),
  ...OTHER_VARIABLES,
];

// Settings: what an operator may write into the environment, and what is said where it cannot be used.
import { describe, expect, it } from "vitest";

import { deriveKeys, readSecret } from "../../src/domain/keys.js";
import { networkFrom } from "../../src/app/access/trusted-proxies.js";
import { replacedSettings } from "../../src/settings/replaced-settings.js";
import { sha256Of } from "../../src/domain/token-hash.js";
import { readSettings } from "../../src/settings/settings.js";

const DAY_MS = 86_400_000;
const ENOUGH = { SLUICE_SECRET: "4f".repeat(32), SLUICE_ADMIN_TOKEN: "0123456789abcdef" };

function violations(env: Record<string, string>): readonly string[] {
  const settings = readSettings(env);
  return "violations" in settings ? settings.violations : [];
}

describe("settings", () => {
  it("all settings but the secrets have defaults", () => {
    expect(readSettings(ENOUGH)).toMatchObject({
      http: { host: "127.0.0.1", port: 8080, tls: null },
      status: { host: "127.0.0.1", port: 8081 },
      trustedProxies: [],
      store: { engine: "lmdb", dataDir: ".sluice", setting: "SLUICE_DATA_DIR", shown: ".sluice" },
      policyPath: "policy.yaml",
      keysAlso: undefined,
      adminTokens: [{ kind: "operator", token: ENOUGH.SLUICE_ADMIN_TOKEN }],
      apiRate: { perSecond: 2000, burst: 20_000 },
      connections: { total: 10_000, unauthenticated: 2000, perAddress: 200 },
      retention: { metadataMs: null, audit: { maxEntries: 100_000, maxAgeMs: 365 * DAY_MS } },
      logKept: { maxEntries: 1_000_000, maxAgeMs: 3_600_000 },
      logLevel: "info",
    });
  });

  it.each([
    ["OTEL_SDK_DISABLED", "true"],
    ["OTEL_TRACES_EXPORTER", "none"],
  ])("%s=%s: traces are off, whatever else is set", (variable, value) => {
    const unusable = { OTEL_EXPORTER_OTLP_ENDPOINT: "collector:4317", OTEL_EXPORTER_OTLP_PROTOCOL: "grpc" };
    expect(violations({ ...ENOUGH, ...unusable })).not.toEqual([]);
    expect(readSettings({ ...ENOUGH, ...unusable, [variable]: value })).toMatchObject({ tracing: null });
  });

  it("settings are taken as given", () => {
    const env = {
      ...ENOUGH,
      SLUICE_HTTP_HOST: "::1",
      SLUICE_HTTP_PORT: "0",
      SLUICE_STATUS_HOST: "0.0.0.0",
      SLUICE_STATUS_PORT: "9000",
      SLUICE_TRUSTED_PROXIES: "10.0.0.0/8, ::1",
      SLUICE_DATA_DIR: "/d",
      SLUICE_POLICY: "/p.yaml",
      SLUICE_SECRET_ALSO: "a0".repeat(32),
      SLUICE_ISSUER_TOKEN: "the-issuers-own-token",
      SLUICE_ISSUERS_FILE: "/i.yaml",
      SLUICE_API_RATE: "5",
      SLUICE_API_BURST: "50",
      SLUICE_HTTP_CONNECTIONS: "30",
      SLUICE_HTTP_CONNECTIONS_UNAUTHENTICATED: "20",
      SLUICE_HTTP_CONNECTIONS_PER_ADDRESS: "10",
      SLUICE_METADATA_RETENTION: "30d",
      SLUICE_AUDIT_ENTRIES: "10",
      SLUICE_AUDIT_RETENTION: "90000000",
      SLUICE_INVALIDATIONS_ENTRIES: "20",
      SLUICE_INVALIDATIONS_RETENTION: "15m",
      SLUICE_LOG_LEVEL: "debug",
    };
    expect(readSettings(env)).toEqual({
      http: { host: "::1", port: 0, tls: null },
      status: { host: "0.0.0.0", port: 9000 },
      trustedProxies: ["10.0.0.0/8", "::1"].map(networkFrom),
      store: { engine: "lmdb", dataDir: "/d", setting: "SLUICE_DATA_DIR", shown: "/d" },
      policyPath: "/p.yaml",
      keys: deriveKeys(Buffer.from(env.SLUICE_SECRET, "hex")),
      keysAlso: deriveKeys(Buffer.from(env.SLUICE_SECRET_ALSO, "hex")),
      adminTokens: [
        { kind: "operator", token: env.SLUICE_ADMIN_TOKEN },
        { kind: "issuer", token: env.SLUICE_ISSUER_TOKEN },
      ],
      issuersPath: "/i.yaml",
      taken: expect.anything() as object,
      apiRate: { perSecond: 5, burst: 50 },
      connections: { total: 30, unauthenticated: 20, perAddress: 10 },
      retention: { metadataMs: 30 * DAY_MS, audit: { maxEntries: 10, maxAgeMs: 90_000_000 } },
      logKept: { maxEntries: 20, maxAgeMs: 900_000 },
      logLevel: "debug",
      tracing: null,
    });
  });

  it("settings that are empty count as not set", () => {
    const env = { ...ENOUGH, SLUICE_HTTP_PORT: "", SLUICE_SECRET_ALSO: "", SLUICE_DATA_DIR: "" };
    expect(readSettings(env)).toEqual(readSettings(ENOUGH));
  });

  it.each(["-1", "65536", "8080x", "1e3", " 80", "0x50", "999999"])("the port %j is a violation", (port) => {
    expect(violations({ ...ENOUGH, SLUICE_HTTP_PORT: port })).toEqual([
      `SLUICE_HTTP_PORT: expected a port from 0 to 65535 (0: any that is free), got "${port}"`,
    ]);
  });

  it("a retention of the invalidation log below a minute is a violation", () => {
    const name = "SLUICE_INVALIDATIONS_RETENTION";
    expect(violations({ ...ENOUGH, [name]: "59s" })).toEqual([`${name}: expected at least 1m, got "59s"`]);
    expect(violations({ ...ENOUGH, [name]: "soon" })).toEqual([expect.stringContaining("expected a time such as")]);
    expect(readSettings({ ...ENOUGH, [name]: "1m" })).toMatchObject({ logKept: { maxAgeMs: 60_000 } });
  });

  it("an unknown log level is a violation", () => {
    expect(violations({ ...ENOUGH, SLUICE_LOG_LEVEL: "loud" })).toEqual([
      'SLUICE_LOG_LEVEL: expected one of trace, debug, info, warn, error, fatal, silent, got "loud"',
    ]);
  });

  it("violations of several variables are named at once", () => {
    const said = violations({ SLUICE_HTTP_PORT: "x", SLUICE_LOG_LEVEL: "z" });
    const named = said.map((violation) => violation.split(/[: ]/)[0]);
    const all = ["SLUICE_HTTP_PORT", "SLUICE_SECRET", "SLUICE_ADMIN_TOKEN", "SLUICE_LOG_LEVEL"];
    expect(named).toEqual(all);
  });

  it.each(["4f4f", "a secret with spaces in it, long enough to be one", "%%%"])(
    "the secret %j is a violation, and not shown",
    (secret) => {
      for (const name of ["SLUICE_SECRET", "SLUICE_SECRET_ALSO"]) {
        const said = violations({ ...ENOUGH, [name]: secret });
        expect(said).toHaveLength(1);
        expect(said[0]).toMatch(new RegExp(`^${name} .*expected at least 32 random bytes`));
        expect(said[0]).not.toContain(secret);
      }
    },
  );

  it.each([
    ["0123456789abcde", "too short"],
    ["x".repeat(257), "too long"],
    ["0123456789 abcdef", "no header carries"],
    ["0123456789abcdeü", "no header carries"],
  ])("the admin token %j is a violation, and not shown", (token, why) => {
    const said = violations({ ...ENOUGH, SLUICE_ADMIN_TOKEN: token });
    expect(said).toHaveLength(1);
    expect(said[0]).toContain(why);
    expect(said[0]).not.toContain(token);
  });

  it("several admin tokens of each kind are taken, separated by commas", () => {
    const [a, b, c] = ["a".repeat(16), "b".repeat(16), "c".repeat(16)];
    const settings = readSettings({ ...ENOUGH, SLUICE_ADMIN_TOKEN: `${a}, ${b}`, SLUICE_ISSUER_TOKEN: c });
    expect(settings).toMatchObject({
      adminTokens: [
        { kind: "operator", token: a },
        { kind: "operator", token: b },
        { kind: "issuer", token: c },
      ],
    });
  });

  it("a repeated admin token, or a bad one of several, is a violation", () => {
    const token = ENOUGH.SLUICE_ADMIN_TOKEN;
    const twice = "SLUICE_ADMIN_TOKEN and SLUICE_ISSUER_TOKEN hold the same token twice: each must stand once";
    expect(violations({ ...ENOUGH, SLUICE_ISSUER_TOKEN: token })).toEqual([twice]);
    expect(violations({ ...ENOUGH, SLUICE_ADMIN_TOKEN: `${token},${token}` })).toEqual([twice]);
    expect(violations({ ...ENOUGH, SLUICE_ADMIN_TOKEN: `${token},` })).toEqual([
      "SLUICE_ADMIN_TOKEN is too short: expected 16 to 256 visible ASCII characters",
    ]);
  });

  it.each([
    ["86400000", DAY_MS],
    ["60000ms", 60_000],
    ["90s", 90_000],
    ["15m", 900_000],
    ["12h", 43_200_000],
    ["30d", 30 * DAY_MS],
  ])("%s is taken as a time", (given, metadataMs) => {
    expect(readSettings({ ...ENOUGH, SLUICE_METADATA_RETENTION: given })).toMatchObject({ retention: { metadataMs } });
  });

  it.each(["SLUICE_METADATA_RETENTION", "SLUICE_INVALIDATIONS_RETENTION"])(
    "a number without a unit that may be seconds is a violation of %s, and asked about",
    (name) => {
      for (const given of ["60000", "86400", "3600000", "31536000", "86399999"]) {
        const hint = `did you mean ${given}s or ${given}ms?`;
        expect(violations({ ...ENOUGH, [name]: given })).toEqual([
          `${name}: expected a unit, or at least 86400000 ms, got "${given}"; ${hint}`,
        ]);
      }
    },
  );

  it.each(["0", "-1", "1.5h", "30 d", "1w", "forever", "999999999999999d"])("%j is a violation as a time", (given) => {
    expect(violations({ ...ENOUGH, SLUICE_METADATA_RETENTION: given })).toEqual([
      `SLUICE_METADATA_RETENTION: expected a time such as 90s, 15m, 12h or 30d (without a unit: ms), got "${given}"`,
    ]);
  });

  it.each(["0", "-1", "1.5", "1e3", "1000001"])("%j is a violation as a rate", (given) => {
    expect(violations({ ...ENOUGH, SLUICE_API_RATE: given })).toEqual([
      `SLUICE_API_RATE: expected an integer from 1 to 1000000, got "${given}"`,
    ]);
  });

  it("the port has the TLS files that all programs share, and its own where it has one", () => {
    const both = { SLUICE_TLS_CERT_FILE: "/c", SLUICE_TLS_KEY_FILE: "/k", SLUICE_TLS_CLIENT_CA_FILE: "/ca" };
    const own = { SLUICE_HTTP_TLS_CLIENT_CA_FILE: "none", SLUICE_HTTP_TLS_CERT_FILE: "/own" };
    const cert = { variable: "SLUICE_HTTP_TLS_CERT_FILE", path: "/own" };
    const key = { variable: "SLUICE_TLS_KEY_FILE", path: "/k" };
    expect(readSettings({ ...ENOUGH, ...both, ...own })).toMatchObject({
      http: { tls: { cert, key, clientCa: null } },
    });
  });

  it("a certificate without its key, and a key or an authority alone, are violations", () => {
    for (const name of ["CERT", "KEY", "CLIENT_CA"]) {
      const said = violations({ ...ENOUGH, [`SLUICE_HTTP_TLS_${name}_FILE`]: "/f" });
      expect(said).toEqual([
        `SLUICE_HTTP_TLS_${name}_FILE: TLS takes both SLUICE_TLS_CERT_FILE and SLUICE_TLS_KEY_FILE`,
      ]);
    }
  });

  it.each([
    ["127.0.0.1", "127.0.0.1"],
    ["127.0.0.1", "0.0.0.0"],
    ["0.0.0.0", "10.0.0.1"],
    ["::", "127.0.0.1"],
    ["::1", "0:0:0:0:0:0:0:1"],
    ["::ffff:127.0.0.1", "127.0.0.1"],
    ["localhost", "::1"],
    ["gateway", "gateway"],
  ])("one port of both listeners on %s and %s is a violation that names both", (http, status) => {
    const hosts = { SLUICE_HTTP_HOST: http, SLUICE_STATUS_HOST: status };
    expect(violations({ ...ENOUGH, ...hosts, SLUICE_STATUS_PORT: "8080" })).toEqual([
      `SLUICE_HTTP_PORT and SLUICE_STATUS_PORT are both 8080, and SLUICE_HTTP_HOST ("${http}") and ` +
        `SLUICE_STATUS_HOST ("${status}") overlap: use another port for one of them`,
    ]);
    const anyFree = { SLUICE_HTTP_PORT: "0", SLUICE_STATUS_PORT: "0" };
    expect(violations({ ...ENOUGH, ...hosts, ...anyFree })).toEqual([]);
  });

  it.each([
    ["127.0.0.1", "127.0.0.2"],
    ["0.0.0.0", "::1"],
    ["10.0.0.1", "gateway"],
  ])("one port of both listeners on %s and %s is taken", (http, status) => {
    const hosts = { SLUICE_HTTP_HOST: http, SLUICE_STATUS_HOST: status };
    expect(violations({ ...ENOUGH, ...hosts, SLUICE_STATUS_PORT: "8080" })).toEqual([]);
  });

  it.each(["10.0.0.0/33", "10.0.0/8", "0.0.0.0/0", "::/0", "::ffff:0:0/96", "::1/129", "fe80::1%eth0", "10.0.0.1:80"])(
    "the trusted proxy %j is a violation that names it",
    (entry) => {
      expect(violations({ ...ENOUGH, SLUICE_TRUSTED_PROXIES: `192.0.2.1,${entry}, ingress` })).toEqual(
        [entry, "ingress"].map(
          (given) =>
            "SLUICE_TRUSTED_PROXIES: expected addresses and networks such as 192.0.2.7, 10.0.0.0/8 or 2001:db8::/32, " +
            `separated by commas, got "${given}"`,
        ),
      );
    },
  );

  it("two secrets of one key id are a violation", () => {
    const keyId = deriveKeys(Buffer.from(ENOUGH.SLUICE_SECRET, "hex")).keyId;
    const candidates = Array.from({ length: 5000 }, (_, i) => i.toString(16).padStart(64, "0"));
    const colliding = candidates.find((hex) => {
      const reading = readSecret(hex);
      return reading.ok && deriveKeys(reading.secret).keyId === keyId;
    });
    expect(violations({ ...ENOUGH, SLUICE_SECRET_ALSO: colliding ?? "none was found" })).toEqual([
      "SLUICE_SECRET_ALSO has the same key id as SLUICE_SECRET: use another secret for one of them",
    ]);
  });
});

describe("credentials of different kinds", () => {
  const SECRET = "4f".repeat(32);
  const ALSO = "a0".repeat(32);
  const credentialOf = (hex: string): string => deriveKeys(Buffer.from(hex, "hex")).edgeCredential;
  const kinds = ["SLUICE_ADMIN_TOKEN", "SLUICE_ISSUER_TOKEN"];
  const others: [what: string, setting: string, token: string, said: string][] = [
    ["the secret", "SLUICE_SECRET", SECRET, "holds the secret of SLUICE_SECRET: use another token"],
    [
      "the secret in base64",
      "SLUICE_SECRET",
      Buffer.from(SECRET, "hex").toString("base64url"),
      "holds the secret of SLUICE_SECRET: use another token",
    ],
    [
      "the secret in hex of both cases",
      "SLUICE_SECRET",
      "4F4f".repeat(16),
      "holds the secret of SLUICE_SECRET: use another token",
    ],
    ["the second secret", "SLUICE_SECRET_ALSO", ALSO, "holds the secret of SLUICE_SECRET_ALSO: use another token"],
    [
      "the edges' credential",
      "SLUICE_SECRET",
      credentialOf(SECRET),
      "holds the edges' credential, which follows from SLUICE_SECRET: use another token",
    ],
    [
      "the second secret's edges' credential",
      "SLUICE_SECRET_ALSO",
      credentialOf(ALSO),
      "holds the edges' credential, which follows from SLUICE_SECRET_ALSO: use another token",
    ],
  ];
  it.each(others.flatMap((other) => kinds.map((kind) => [kind, ...other] as const)))(
    "%s that is %s is a violation that names both settings",
    (kind, _what, setting, token, said) => {
      const env = {
        ...ENOUGH,
        SLUICE_SECRET: `${SECRET}\n`,
        SLUICE_SECRET_ALSO: ALSO,
        [kind]: `${"z".repeat(16)}, ${token}`,
      };
      const violation = violations(env);
      expect(violation).toEqual([`${kind} ${said}`]);
      expect(violation[0]).toContain(setting);
      expect(violation[0]).not.toContain(token);
    },
  );

  it("no issuer of the file may have a credential of the environment, in whatever spelling", () => {
    const tokens = { SLUICE_ADMIN_TOKEN: "operators-own-token", SLUICE_ISSUER_TOKEN: "the-issuers-own-token" };
    const settings = readSettings({ ...tokens, SLUICE_SECRET: ` ${SECRET}\n`, SLUICE_SECRET_ALSO: ALSO });
    if ("violations" in settings) throw new Error("no settings");
    const { hashes, names } = settings.taken;
    const bytes = Buffer.from(SECRET, "hex");
    const spellings = [SECRET, SECRET.toUpperCase(), bytes.toString("base64"), bytes.toString("base64url")];
    for (const secret of spellings) expect(hashes.get(sha256Of(secret))).toBe("the secret of SLUICE_SECRET");
    expect(hashes.get(sha256Of(ALSO))).toBe("the secret of SLUICE_SECRET_ALSO");
    for (const hex of [SECRET, ALSO]) expect(hashes.get(sha256Of(credentialOf(hex)))).toMatch(/^the edges' credential/);
    for (const [setting, token] of Object.entries(tokens))
      expect(hashes.get(sha256Of(token))).toBe(`in ${setting} already`);
    expect([...names]).toEqual([["issuer", "that of SLUICE_ISSUER_TOKEN"]]);
  });

  it("the name issuer is free for the file where SLUICE_ISSUER_TOKEN is not set", () => {
    expect(readSettings(ENOUGH)).toMatchObject({ issuersPath: undefined, taken: { names: new Map() } });
    expect(readSettings({ ...ENOUGH, SLUICE_ISSUERS_FILE: "none" })).toMatchObject({ issuersPath: undefined });
  });

  it("a secret that is too short to be one and also an admin token is named as such", () => {
    const said = violations({ SLUICE_SECRET: "4f".repeat(16), SLUICE_ADMIN_TOKEN: "4f".repeat(16) });
    expect(said).toEqual([
      expect.stringContaining("SLUICE_SECRET holds 16 bytes"),
      "SLUICE_ADMIN_TOKEN holds the secret of SLUICE_SECRET: use another token",
    ]);
  });
});

describe("settings of an earlier version", () => {
  it("settings of an earlier version are named in one sentence, without their values", () => {
    const env = {
      ...ENOUGH,
      SLUICE_XDS_PORT: "18000",
      SLUICE_XDS_TLS_KEY_FILE: "/secret/key",
      SLUICE_EDGE_AUTHORIZATION: "Bearer a-credential",
      SLUICE_FILTER_PATH: "/f.wasm",
      SLUICE_WITHDRAWALS_ENTRIES: "20",
    };
    const said = replacedSettings(env);
    expect(said).toMatch(
      /^settings that are no longer used: SLUICE_XDS_PORT, SLUICE_XDS_TLS_KEY_FILE \(.*\); SLUICE_EDGE_AUTHORIZATION \(.*\); SLUICE_FILTER_PATH \(.*\); SLUICE_WITHDRAWALS_ENTRIES \(SLUICE_INVALIDATIONS.*\)$/,
    );
    expect(said).not.toMatch(/a-credential|\/secret|f\.wasm/);
  });

  it("settings of an earlier version are not named where none is set, or all are empty", () => {
    expect(replacedSettings({ ...ENOUGH, SLUICE_XDS_PORT: "" })).toBeUndefined();
  });
});

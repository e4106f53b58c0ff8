// Settings: what an operator may write into the environment, and what is said where it cannot be used.
import { describe, expect, it } from "vitest";

import { deriveKeys, readSecret } from "../src/domain/keys.js";
import { readSettings } from "../src/settings.js";

const ENOUGH = { SLUICE_SECRET: "4f".repeat(32), SLUICE_ADMIN_TOKEN: "0123456789abcdef" };

function faults(env: Record<string, string>): readonly string[] {
  const settings = readSettings(env);
  return "faults" in settings ? settings.faults : [];
}

describe("settings", () => {
  it("have defaults for all but the secrets", () => {
    expect(readSettings(ENOUGH)).toMatchObject({
      http: { host: "127.0.0.1", port: 8080 },
      xds: { host: "127.0.0.1", port: 18000 },
      dataDir: ".sluice",
      policyPath: "policy.yaml",
      filterPath: "build/sluice.wasm",
      keysAlso: undefined,
      logLevel: "info",
    });
  });

  it("are taken as given", () => {
    const env = {
      ...ENOUGH,
      SLUICE_HTTP_HOST: "::1",
      SLUICE_HTTP_PORT: "0",
      SLUICE_XDS_HOST: "0.0.0.0",
      SLUICE_XDS_PORT: "65535",
      SLUICE_DATA_DIR: "/d",
      SLUICE_POLICY: "/p.yaml",
      SLUICE_FILTER_PATH: "/f.wasm",
      SLUICE_SECRET_ALSO: "a0".repeat(32),
      SLUICE_LOG_LEVEL: "debug",
    };
    expect(readSettings(env)).toEqual({
      http: { host: "::1", port: 0 },
      xds: { host: "0.0.0.0", port: 65535 },
      dataDir: "/d",
      policyPath: "/p.yaml",
      filterPath: "/f.wasm",
      keys: deriveKeys(Buffer.from(env.SLUICE_SECRET, "hex")),
      keysAlso: deriveKeys(Buffer.from(env.SLUICE_SECRET_ALSO, "hex")),
      adminToken: env.SLUICE_ADMIN_TOKEN,
      logLevel: "debug",
    });
  });

  it("that are empty count as not set", () => {
    const env = { ...ENOUGH, SLUICE_HTTP_PORT: "", SLUICE_SECRET_ALSO: "", SLUICE_DATA_DIR: "" };
    expect(readSettings(env)).toEqual(readSettings(ENOUGH));
  });

  it.each(["-1", "65536", "8080x", "1e3", " 80", "0x50", "999999"])("refuse %j as a port", (port) => {
    expect(faults({ ...ENOUGH, SLUICE_HTTP_PORT: port })).toEqual([
      `SLUICE_HTTP_PORT: expected a port from 0 to 65535 (0: any that is free), got "${port}"`,
    ]);
  });

  it("refuse a log level that is none", () => {
    expect(faults({ ...ENOUGH, SLUICE_LOG_LEVEL: "loud" })).toEqual([
      'SLUICE_LOG_LEVEL: expected one of trace, debug, info, warn, error, fatal, silent, got "loud"',
    ]);
  });

  it("name every variable at fault at once", () => {
    const said = faults({ SLUICE_HTTP_PORT: "x", SLUICE_XDS_PORT: "y", SLUICE_LOG_LEVEL: "z" });
    const named = said.map((fault) => fault.split(/[: ]/)[0]);
    const all = ["SLUICE_HTTP_PORT", "SLUICE_XDS_PORT", "SLUICE_SECRET", "SLUICE_ADMIN_TOKEN", "SLUICE_LOG_LEVEL"];
    expect(named).toEqual(all);
  });

  it.each(["4f4f", "a secret with spaces in it, long enough to be one", "%%%"])(
    "refuse the secret %j unseen",
    (secret) => {
      for (const name of ["SLUICE_SECRET", "SLUICE_SECRET_ALSO"]) {
        const said = faults({ ...ENOUGH, [name]: secret });
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
  ])("refuse the admin token %j unseen", (token, why) => {
    const said = faults({ ...ENOUGH, SLUICE_ADMIN_TOKEN: token });
    expect(said).toHaveLength(1);
    expect(said[0]).toContain(why);
    expect(said[0]).not.toContain(token);
  });

  it("refuse two secrets of one key id", () => {
    const keyId = deriveKeys(Buffer.from(ENOUGH.SLUICE_SECRET, "hex")).keyId;
    const candidates = Array.from({ length: 5000 }, (_, i) => i.toString(16).padStart(64, "0"));
    const colliding = candidates.find((hex) => {
      const reading = readSecret(hex);
      return reading.ok && deriveKeys(reading.secret).keyId === keyId;
    });
    expect(faults({ ...ENOUGH, SLUICE_SECRET_ALSO: colliding ?? "none was found" })).toEqual([
      "SLUICE_SECRET_ALSO has the same key id as SLUICE_SECRET: use another secret for one of them",
    ]);
  });
});

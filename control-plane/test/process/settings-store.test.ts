// Where the store is, as the environment says: what of a URL is taken, and what is said of one that is none.
import { describe, expect, it } from "vitest";

import { readSettings } from "../../src/settings/settings.js";
import { unusedFolder } from "../../src/settings/store-address.js";
import { storeNamed } from "../../src/store/store-address.js";
import { EnvironmentReader } from "../../src/settings/environment.js";
import { readNamedStore } from "../../src/settings/named-store.js";
import type { StoreAddress } from "../../src/store/store-address.js";

const ENOUGH = { SLUICE_SECRET: "4f".repeat(32), SLUICE_ADMIN_TOKEN: "0123456789abcdef" };
const PASSWORD = "pass-word-of-the-store";

/** `files`: what stood in files, by the secret's variable. */
function read(env: Record<string, string>, files: Record<string, string> = {}): ReturnType<typeof readSettings> {
  const entries = Object.keys(files).map((name) => [name, { variable: `${name}_FILE`, path: "/f" }] as const);
  return readSettings({ ...ENOUGH, ...env, ...files }, { files: new Map(entries), violations: [] });
}

function storeOf(env: Record<string, string>, files: Record<string, string> = {}): StoreAddress {
  const settings = read(env, files);
  if ("violations" in settings) throw new Error(settings.violations.join("; "));
  return settings.store;
}

function violations(env: Record<string, string>, files: Record<string, string> = {}): readonly string[] {
  const settings = read(env, files);
  return "violations" in settings ? settings.violations : [];
}

const PLAIN = { engine: "redis", tls: null, username: null, password: null, database: 0, sentinel: null, replicas: 0 };

describe("the address of a Redis", () => {
  it.each([
    ["redis://cache", "cache", 6379, 0, "redis://cache:6379"],
    ["redis://cache.example:7000/3", "cache.example", 7000, 3, "redis://cache.example:7000/3"],
    ["redis://10.0.0.7/", "10.0.0.7", 6379, 0, "redis://10.0.0.7:6379"],
    ["redis://[2001:db8::7]:6380", "2001:db8::7", 6380, 0, "redis://[2001:db8::7]:6380"],
    ["redis://[::1]", "::1", 6379, 0, "redis://[::1]:6379"],
  ])("%s is taken as the address of a server", (url, host, port, database, shown) => {
    expect(storeOf({ SLUICE_STORE: url })).toEqual({
      ...PLAIN,
      hosts: [{ host, port }],
      database,
      setting: "SLUICE_STORE",
      shown,
    });
  });

  it("Sentinels and the name of their primary are taken, and one replica is waited for then", () => {
    const store = storeOf({ SLUICE_STORE: "redis+sentinel://a,b:26380,[::1]/main/2" });
    expect(store).toMatchObject({ hosts: [], database: 2, replicas: 1, tls: null });
    expect(store).toMatchObject({
      sentinel: {
        hosts: [
          { host: "a", port: 26379 },
          { host: "b", port: 26380 },
          { host: "::1", port: 26379 },
        ],
        master: "main",
        username: null,
        password: null,
      },
      shown: "redis+sentinel://a:26379,b:26380,[::1]:26379/main/2",
    });
  });

  it.each(["0", "3", "100"])("%s replicas are waited for where the setting says so", (replicas) => {
    const given = { SLUICE_STORE: "redis+sentinel://a/main", SLUICE_STORE_REPLICAS: replicas };
    expect(storeOf(given)).toMatchObject({ replicas: Number(replicas) });
  });

  it.each(["-1", "101", "one", "1.5"])("%j replicas are a violation", (replicas) => {
    expect(violations({ SLUICE_STORE: "redis://a", SLUICE_STORE_REPLICAS: replicas })).toEqual([
      `SLUICE_STORE_REPLICAS: expected an integer from 0 to 100, got "${replicas}"`,
    ]);
  });

  it("user and password of a URL in a file are decoded, and no message shows them", () => {
    const store = storeOf({}, { SLUICE_STORE: `rediss://an%3Aus%40er:${PASSWORD}%2F%25@cache/1` });
    expect(store).toMatchObject({ username: "an:us@er", password: `${PASSWORD}/%`, setting: "SLUICE_STORE_FILE" });
    expect(storeNamed(store)).toBe("the store at rediss://cache:6379/1 (SLUICE_STORE_FILE)");
  });

  it("a password alone is one of the default user", () => {
    const store = storeOf({}, { SLUICE_STORE: `redis://:${PASSWORD}@cache` });
    expect(store).toMatchObject({ username: null, password: PASSWORD });
  });

  it("a password outside of a file is a violation, and not shown", () => {
    const said = violations({ SLUICE_STORE: `redis://:${PASSWORD}@cache` });
    expect(said).toEqual([
      "SLUICE_STORE holds a password: put the URL into a file, and name that with SLUICE_STORE_FILE",
    ]);
  });

  it("a URL in the place of the data folder is a violation, and not shown", () => {
    expect(violations({ SLUICE_DATA_DIR: `redis://sluice:${PASSWORD}@cache` })).toEqual([
      "SLUICE_DATA_DIR: expected a folder, got a URL, which belongs into SLUICE_STORE",
    ]);
  });

  it("the login of the Sentinels is taken as it is", () => {
    const url = { SLUICE_STORE: "redis+sentinel://a/main" };
    const one = storeOf(url, { SLUICE_STORE_SENTINEL: "watcher:a:b%40" });
    expect(one).toMatchObject({ sentinel: { username: "watcher", password: "a:b%40" } });
    const other = storeOf(url, { SLUICE_STORE_SENTINEL: ":alone" });
    expect(other).toMatchObject({ sentinel: { username: null, password: "alone" } });
  });

  it.each(["no-colon-at-all", "user:"])("the login %j of the Sentinels is a violation, and not shown", (login) => {
    expect(violations({ SLUICE_STORE: "redis+sentinel://a/main" }, { SLUICE_STORE_SENTINEL: login })).toEqual([
      "SLUICE_STORE_SENTINEL_FILE: expected user:password, or :password of the default user",
    ]);
  });
});

describe("a URL of the store that is none", () => {
  it.each([
    ["cache:6379", "expected a URL that begins with redis://, rediss://, redis+sentinel:// or rediss+sentinel://"],
    ["http://cache", "expected a URL that begins with redis://"],
    ["lmdb:/var/lib/sluice", "expected a URL that begins with redis://"],
    ["redis://", 'its host: expected a name, an IPv4 address or an IPv6 address in brackets, got ""'],
    ["redis://::1", 'its host: expected a name, an IPv4 address or an IPv6 address in brackets: [::1], got "::1"'],
    ["redis://[cache]", "its host: expected a name"],
    ["redis://10.0.0.999", "its host: expected a name"],
    ["redis://ca~che", 'got "ca~che"'],
    ["redis://cache:0", 'its host: expected a port from 1 to 65535 after its colon, got "0"'],
    ["redis://cache:65536", 'its host: expected a port from 1 to 65535 after its colon, got "65536"'],
    ["redis://cache:", "its host: expected a port"],
    ["redis://cache/first", 'its database: expected a number after the last /, got "first"'],
    ["redis://cache/0/1", "its database: expected a number"],
    ["redis://a,b", "names several hosts: expected one, or redis+sentinel:// for Sentinels"],
    ["redis://cache?tls=true", "expected a URL without ? and #"],
    ["redis://ca che", "expected a URL without spaces or control characters"],
    ["redis+sentinel://a,b:x,c/main", "its host 2 of 3: expected a port from 1 to 65535 after its colon"],
    ["redis+sentinel://a,,c/main", "its host 2 of 3: expected a name"],
    ["redis+sentinel://a,b", "names no primary: expected /NAME after the hosts, as Sentinel knows it"],
    ["redis+sentinel://a/ma~in", 'its primary: expected a name of letters, digits, ".", "-" and "_", got "ma~in"'],
    ["redis+sentinel://a/main/x", "its database: expected a number"],
  ])("%s is a violation that names its place", (url, says) => {
    const said = violations({ SLUICE_STORE: url });
    expect(said).toEqual([expect.stringMatching(/^SLUICE_STORE: /)]);
    expect(said[0]).toContain(says);
  });

  it.each([
    [`redis://user:${PASSWORD}@`, "its host: expected a name"],
    [`redis://user:${PASSWORD}@cache:x`, "expected a port"],
    [`redis://user:${PASSWORD}`, "expected a port"],
    [`redis://:${PASSWORD}`, "its host: expected a name"],
    [`redis://:${PASSWORD}@rest~`, "its host: expected a name"],
    [`redis://user:${PASSWORD}@cache/x`, "expected a number"],
    [`redis://${PASSWORD}@cache`, "has a user name and no password"],
    [`redis://${PASSWORD}:@cache`, "has an empty password"],
    [`redis://:${PASSWORD}/rest@cache`, "expected no @ after the first /"],
    [`redis://:${PASSWORD}@rest@cache`, "has more than one : or @ before its host"],
    [`redis://:${PASSWORD}:rest@cache`, "has more than one : or @ before its host"],
    [`redis://:${PASSWORD}%zz@cache`, "has a % in its user name or password that begins no encoded character"],
    [`redis://:${PASSWORD}#rest@cache`, "expected a URL without ? and #"],
    [`redis://:${PASSWORD} rest@cache`, "without spaces"],
    [`redis+sentinel://:${PASSWORD}@a/ma~in`, "its primary"],
    [PASSWORD, "expected a URL that begins with"],
  ])("the password in a wrong URL is not shown: %#", (url, says) => {
    const said = violations({}, { SLUICE_STORE: url });
    expect(said).toEqual([expect.stringMatching(/^SLUICE_STORE_FILE: /)]);
    expect(said[0]).toContain(says);
    expect(said[0]).not.toContain(PASSWORD);
    expect(said[0]).not.toContain("rest");
  });
});

describe("what stands beside the URL of the store", () => {
  const FILES = { SLUICE_STORE_CERT_FILE: "/c", SLUICE_STORE_KEY_FILE: "/k" };

  it("the files of a store with TLS are taken", () => {
    const url = { SLUICE_STORE: "rediss://cache" };
    expect(storeOf(url)).toMatchObject({ tls: { ca: null, client: null } });
    expect(storeOf({ ...url, ...FILES, SLUICE_STORE_CA_FILE: "/ca" })).toMatchObject({
      tls: {
        ca: { variable: "SLUICE_STORE_CA_FILE", path: "/ca" },
        client: {
          cert: { variable: "SLUICE_STORE_CERT_FILE", path: "/c" },
          key: { variable: "SLUICE_STORE_KEY_FILE", path: "/k" },
        },
      },
    });
    expect(storeOf({ SLUICE_STORE: "rediss+sentinel://a/main" })).toMatchObject({ tls: { ca: null } });
  });

  it.each(["CERT", "KEY"])("a client's %s without the other file is a violation", (name) => {
    const variable = `SLUICE_STORE_${name}_FILE`;
    expect(violations({ SLUICE_STORE: "rediss://cache", [variable]: "/f" })).toEqual([
      `${variable}: a client's certificate takes both SLUICE_STORE_CERT_FILE and SLUICE_STORE_KEY_FILE`,
    ]);
  });

  it.each(["CA", "CERT", "KEY"])("a %s file of a store without TLS is a violation", (name) => {
    const variable = `SLUICE_STORE_${name}_FILE`;
    expect(violations({ SLUICE_STORE: "redis://cache", [variable]: "/f" })).toEqual([
      `${variable} is set, and SLUICE_STORE has no TLS: expected rediss:// there`,
    ]);
  });

  it.each(["SLUICE_STORE_CA_FILE", "SLUICE_STORE_KEY_FILE", "SLUICE_STORE_SENTINEL", "SLUICE_STORE_REPLICAS"])(
    "%s without a store's URL is a violation: LMDB does not begin empty in its place",
    (name) => {
      const said = [`${name} is set, and SLUICE_STORE is not: set that too, or neither`];
      expect(violations({ [name]: "1" })).toEqual(said);
    },
  );

  it("a login of Sentinels without Sentinels is a violation", () => {
    expect(violations({ SLUICE_STORE: "redis://cache" }, { SLUICE_STORE_SENTINEL: "a:b" })).toEqual([
      "SLUICE_STORE_SENTINEL_FILE is set, and SLUICE_STORE names no Sentinel: expected redis+sentinel:// there",
    ]);
  });

  it("a data folder beside a Redis is said to be unused, and beside nothing is the store", () => {
    const redis = storeOf({ SLUICE_STORE: "redis://cache", SLUICE_DATA_DIR: "/d" });
    expect(unusedFolder(redis, "/d")).toBe("SLUICE_DATA_DIR is not used: SLUICE_STORE names the store");
    expect(unusedFolder(redis, undefined)).toBeUndefined();
    const folder = storeOf({ SLUICE_DATA_DIR: "/d" });
    expect(unusedFolder(folder, "/d")).toBeUndefined();
    expect(storeNamed(folder)).toBe("the store in /d (SLUICE_DATA_DIR)");
  });
});

describe("a store that an option names", () => {
  function named(text: string | undefined, fileText: string | undefined, env: Record<string, string> = {}) {
    const said: string[] = [];
    const reader = new EnvironmentReader(env, ({ variable }) => said.push(variable));
    const sources = { reader, violations: said, sourceOf: (name: string) => name };
    return { address: readNamedStore({ option: "--from", text, fileText }, sources), said };
  }

  it("a folder and a URL are taken, each under the option that named it", () => {
    expect(named("lmdb:/var/lib/sluice", undefined)).toEqual({
      address: { engine: "lmdb", dataDir: "/var/lib/sluice", setting: "--from", shown: "/var/lib/sluice" },
      said: [],
    });
    expect(named(undefined, `redis://:${PASSWORD}@cache`)).toMatchObject({
      address: { engine: "redis", password: PASSWORD, setting: "--from-file", shown: "redis://cache:6379" },
      said: [],
    });
  });

  it("the environment's TLS and login of Sentinels are for the store that has a use for them", () => {
    const env = { SLUICE_STORE_CA_FILE: "/ca", SLUICE_STORE_SENTINEL: "a:b", SLUICE_STORE_REPLICAS: "2" };
    expect(named("redis://cache", undefined, env)).toMatchObject({ address: { tls: null, sentinel: null }, said: [] });
    expect(named("rediss+sentinel://a/main", undefined, env)).toMatchObject({
      address: { tls: { ca: { path: "/ca" } }, sentinel: { username: "a", password: "b" }, replicas: 2 },
      said: [],
    });
  });

  it.each([
    ["lmdb:", "--from: expected a folder after lmdb:"],
    ["/var/lib/sluice", "--from: expected lmdb:FOLDER, or a URL of redis://"],
    [`redis://:${PASSWORD}@cache`, "--from holds a password, which others see"],
    ["redis://cache:x", "--from: its host: expected a port"],
  ])("%s is a violation of the option", (text, says) => {
    expect(named(text, undefined).said).toEqual([expect.stringContaining(says)]);
    expect(named(text, undefined).said[0]).not.toContain(PASSWORD);
  });

  it("both forms of an option, and neither, are violations", () => {
    const said = ["expected --from STORE or --from-file FILE, one of them"];
    expect(named(undefined, undefined)).toEqual({ address: undefined, said });
    expect(named("lmdb:a", "lmdb:b")).toEqual({ address: undefined, said });
  });
});

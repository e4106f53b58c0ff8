// Where Chromium comes from, and what is said when it comes from nowhere.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { searchChromium } from "../../scripts/test/get-chromium.js";
import { fakePrograms } from "./fake-programs.js";

const { folder, cacheDir, search, program } = fakePrograms();

/** apt-get that notes how it is called, and has what `download` says, or nothing. */
function apt(download: string): void {
  const listed = [
    "'http://there/c.deb' chromium-headless-shell_1_all.deb 1 MD5Sum:1",
    "'http://there/o.deb' libogg0_1_all.deb 1",
  ];
  program(
    "apt-get",
    `echo "$*" >> ${join(folder(), "calls")}
case "$*" in
  *--print-uris*) printf '%s\\n' "Reading package lists..." "${listed.join('" "')}" ;;
  *download*) ${download} ;;
esac`,
  );
}
const calls = (): string[] => readFileSync(join(folder(), "calls"), "utf8").trim().split("\n");

const DOWNLOAD = "/bin/touch chromium-headless-shell_1_all.deb libogg0_1_all.deb";
/** Of the browser's package its program, which runs only with the library of the other. */
const DPKG = `case "$2" in
  *chromium-headless*) /bin/mkdir -p usr/lib/chromium
    printf '#!/bin/sh\\ncase "$LD_LIBRARY_PATH" in *usr/lib/own*) exit 0; esac; exit 127\\n' > usr/lib/chromium/chromium-headless-shell
    /bin/chmod +x usr/lib/chromium/chromium-headless-shell ;;
  *) /bin/mkdir -p usr/lib/own; : > usr/lib/own/libogg.so.0 ;;
esac`;

const found = () => searchChromium(search());

describe("finding Chromium", () => {
  it("a Chromium on PATH is taken, and none is fetched", async () => {
    program("google-chrome", "exit 0");
    // What some systems have in its place: a script that says how to install it.
    program("chromium-browser", "exit 1");
    apt(DOWNLOAD);
    expect(await found()).toEqual({ chromium: { binary: "google-chrome", env: {} } });
    expect(existsSync(cacheDir())).toBe(false);
  });

  it("Chromium's package is unpacked once, with what this machine lacks of what it needs", async () => {
    apt(DOWNLOAD);
    program("dpkg-deb", DPKG);
    const unpacked = join(cacheDir(), "chromium/usr/lib");
    const chromium = {
      binary: join(unpacked, "chromium/chromium-headless-shell"),
      env: { LD_LIBRARY_PATH: join(unpacked, "own") },
    };
    expect(await found()).toEqual({ chromium });
    expect(calls().at(-1)).toMatch(/download --quiet chromium-headless-shell libogg0$/);
    expect(readdirSync(cacheDir())).toEqual(["chromium"]);
    program("apt-get", "exit 1");
    expect(await found()).toEqual({ chromium });
  });

  it("lists of packages that are missing or old are fetched into the cache, and go again", async () => {
    apt(`case "$*" in *Dir::State::Lists=*) ${DOWNLOAD} ;; *) exit 100 ;; esac`);
    program("dpkg-deb", DPKG);
    expect(await found()).toMatchObject({ chromium: {} });
    const verbs = calls().map((call) => /\b(install|update|download)\b/.exec(call)?.[0]);
    expect(verbs).toEqual(["install", "download", "update", "install", "download"]);
    expect(readdirSync(cacheDir())).toEqual(["chromium"]);
  });

  it("a search for Chromium without a result names what was lacking", async () => {
    const lacking = "no Chromium on PATH, and";
    expect(await found()).toEqual({ reason: `${lacking} apt-get has no package of it (spawn apt-get ENOENT)` });
    apt("echo 'E: Unable to locate package' >&2; exit 100");
    expect(await found()).toEqual({ reason: `${lacking} apt-get has no package of it (E: Unable to locate package)` });
    apt(DOWNLOAD);
    program("dpkg-deb", "echo 'not an archive' >&2; exit 2");
    expect(await found()).toEqual({ reason: `${lacking} its package cannot be unpacked (not an archive)` });
    program("dpkg-deb", DPKG.replaceAll("/bin/mkdir -p usr/lib/own; : > usr/lib/own/libogg.so.0", ":"));
    expect(await found()).toEqual({ reason: "the Chromium of Debian's package does not run here" });
    expect(readdirSync(cacheDir())).toEqual(["chromium"]);
  });
});

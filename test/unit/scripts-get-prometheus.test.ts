// Where promtool, Prometheus and Alertmanager come from, and what is said when they come from nowhere.
import { existsSync, readdirSync } from "node:fs";
import { join, normalize } from "node:path";
import { describe, expect, it } from "vitest";
import { runCommand } from "../../scripts/run-command.js";
import { searchAlertmanager } from "../../scripts/test/get-alertmanager.js";
import { searchProgram } from "../../scripts/test/get-prometheus.js";
import { fakePrograms } from "./fake-programs.js";

/** Downloads a package that holds one, the way apt-get and dpkg-deb do. */
const APT = "/bin/touch prometheus_2.42_amd64.deb";
const DPKG = `/bin/mkdir -p usr/bin; printf '#!/bin/sh\\n' > usr/bin/promtool; /bin/chmod +x usr/bin/promtool`;

const { cacheDir, search, program } = fakePrograms();

const found = () => searchProgram("promtool", search());

describe("finding promtool", () => {
  it("a promtool on PATH is taken, and none is fetched", async () => {
    program("promtool", "exit 0");
    program("apt-get", APT);
    expect(await found()).toEqual({ binary: "promtool" });
    expect(existsSync(cacheDir())).toBe(false);
  });

  it("unpacks Debian's package into the cache once, and leaves nothing else there", async () => {
    program("apt-get", APT);
    program("dpkg-deb", DPKG);
    const binary = join(cacheDir(), "promtool");
    expect(await found()).toEqual({ binary });
    expect(readdirSync(cacheDir())).toEqual(["promtool"]);
    program("apt-get", "exit 1");
    expect(await found()).toEqual({ binary });
  });

  it("a search without a result names what was lacking: apt, the package, or its content", async () => {
    const lacking = "no promtool on PATH, and";
    expect(await found()).toEqual({ reason: `${lacking} apt-get has no package of it (spawn apt-get ENOENT)` });
    program("apt-get", "echo 'E: Unable to locate package prometheus' >&2; exit 100");
    expect(await found()).toEqual({
      reason: `${lacking} apt-get has no package of it (E: Unable to locate package prometheus)`,
    });
    program("apt-get", APT);
    program("dpkg-deb", "echo 'not an archive' >&2; exit 2");
    expect(await found()).toEqual({ reason: `${lacking} its package cannot be unpacked (not an archive)` });
    program("dpkg-deb", DPKG.replace("#!/bin/sh", "#!/no/such/shell"));
    expect(await found()).toEqual({ reason: "the promtool of Debian's package does not run here" });
    expect(readdirSync(cacheDir())).toEqual(["promtool"]);
  });

  it("an Alertmanager of Debian's package reads its templates where it is started", async () => {
    const templates = "usr/share/prometheus/alertmanager";
    const script = `#!/bin/sh\\n[ \"$1\" = --version ] || echo /${templates}/default.tmpl\\n`;
    const binary = "usr/bin/prometheus-alertmanager";
    program("apt-get", "/bin/touch prometheus-alertmanager_0.25_amd64.deb");
    const unpack = `/bin/mkdir -p usr/bin ${templates}; /bin/touch ${templates}/default.tmpl`;
    program("dpkg-deb", `${unpack}; printf '${script}' > ${binary}; /bin/chmod +x ${binary}`);
    const cwd = join(cacheDir(), "alertmanager", templates);
    const alertmanager = await searchAlertmanager(search());
    expect(alertmanager).toEqual({ binary: join(cwd, "alertmanager"), cwd });
    const { stdout } = await runCommand(join(cwd, "alertmanager"), [], { env: {} });
    expect(normalize(stdout.trim())).toBe("default.tmpl");
    program("prometheus-alertmanager", "exit 0");
    expect(await searchAlertmanager(search())).toEqual({ binary: "prometheus-alertmanager" });
  });
});

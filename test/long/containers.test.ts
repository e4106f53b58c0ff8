// docker compose up with the repository's files: one control plane, and an Envoy.
import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { until } from "../../control-plane/test/support/until.js";
import { projectRoot } from "../../scripts/project-root.js";
import { sectionOf } from "../unit/docs.js";
import { BUILD_AND_START_MS, useCompose } from "./compose-project.js";

const SERVICES = ["control-plane", "demo", "envoy"];
const sluice = await useCompose();

it(
  "docker compose up serves at once, unprivileged, and docker compose down is clean",
  async () => {
    await sluice.compose("up", "--detach", "--wait");

    expect((await sluice.request()).status).toBe(401);
    const answer = await sluice.request((await sluice.newSession("control-plane")).token);
    expect(answer.status).toBe(200);
    expect(answer.headers.get("ratelimit")).toMatch(/^"default";r=\d+/);
    expect(await answer.json()).toMatchObject({ service: "demo" });
    expect((await fetch(`${await sluice.addressOf("control-plane", 8081)}readyz`)).status).toBe(200);

    expect((await sluice.compose("ps", "--services")).trim().split("\n").sort()).toEqual(SERVICES);
    for (const service of SERVICES) {
      expect(await sluice.inside(service, "id", "-u"), `the user of ${service}`).toBe("1000\n");
    }
    const secret = (await sluice.inside("control-plane", "cat", "/run/sluice/secret")).trim();
    expect(Buffer.from(secret, "base64")).toHaveLength(32);
    const modes = await sluice.inside("control-plane", "sh", "-c", "stat -c %a /run/sluice/*");
    expect(modes).toBe("600\n600\n600\n");
    const logs = await sluice.compose("logs", "--no-color");
    expect(logs.includes(secret), "the secret in a log").toBe(false);

    await sluice.compose("down", "--volumes");
    expect(await sluice.left()).toBe("");
  },
  BUILD_AND_START_MS,
);

it(
  "a backup and a restore in containers go as the document writes them",
  async () => {
    const backups = join(projectRoot, "backups");
    // Fails where somebody keeps their own there.
    mkdirSync(backups);
    onTestFinished(() => {
      rmSync(backups, { recursive: true });
    });
    const [backUp = "", restore = "", ...more] = documented();
    expect(more).toEqual([]);

    await sluice.compose("up", "--detach", "--wait");
    const { token: before } = await sluice.newSession("control-plane");
    await sluice.ranAsWritten(backUp);
    expect(readdirSync(backups)).toEqual(["sluice-1.mdb"]);
    expect(await filesOfStore()).not.toContain("sluice-1.mdb");
    const { token: after } = await sluice.newSession("control-plane");
    expect([await statusWith(before), await statusWith(after)]).toEqual([200, 200]);

    await sluice.ranAsWritten(restore);
    // Only the restored store does not know it.
    await until(async () => {
      expect([await statusWith(before), await statusWith(after)]).toEqual([200, 401]);
    });
    expect(await filesOfStore()).not.toContain("restore.mdb");
  },
  BUILD_AND_START_MS,
);

it(
  "one control plane's sessions move to several as the document writes it",
  async () => {
    await sluice.compose("up", "--detach", "--wait");
    const { session } = await sluice.newSession("control-plane");
    const [, moving = ""] = /^```\n(docker compose rm .*?)^```$/ms.exec(sectionOf("docs/stores.md", "Moving")) ?? [];
    expect(moving).not.toBe("");
    await sluice.ranAsWritten(moving);
    expect((await sluice.api("GET", `sessions/${session.id}`)).status).toBe(200);
  },
  BUILD_AND_START_MS,
);

/** The lines for containers, in the groups that a blank line parts. */
function documented(): string[] {
  const blocks = [...sectionOf("docs/operations.md", "Backup and restore").matchAll(/^```\n(.*?)^```$/gms)];
  const lines = blocks.map(([, block = ""]) => block).filter((block) => block.includes("docker compose"));
  return lines.flatMap((block) => block.split("\n\n"));
}

const filesOfStore = (): Promise<string> => sluice.inside("control-plane", "ls", "/var/lib/sluice");

const statusWith = async (token: string): Promise<number> => (await sluice.request(token)).status;

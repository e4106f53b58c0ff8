// Where the registry and the client of the tests of images come from, and what is said when one comes from nowhere.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { searchImageTool } from "../../scripts/test/get-registry.js";
import { fakePrograms } from "./fake-programs.js";

const { cacheDir, search, program } = fakePrograms();

it("a registry on PATH is taken, and none is fetched", async () => {
  program("docker-registry", "echo docker-registry github.com/docker/distribution 2.8.2+ds1");
  expect(await searchImageTool("docker-registry", search())).toEqual({
    program: { binary: "docker-registry", env: {} },
  });
});

it("a client in the cache is taken with the libraries beside it", async () => {
  const root = join(cacheDir(), "skopeo");
  mkdirSync(join(root, "usr/bin"), { recursive: true });
  program("apt-get", "exit 1");
  program("../cache/skopeo/usr/bin/skopeo", "echo skopeo version 1.9.3");
  expect(await searchImageTool("skopeo", search())).toEqual({
    program: { binary: join(root, "usr/bin/skopeo"), env: {} },
  });
});

it("a registry that cannot be had is named with what was lacking", async () => {
  expect(await searchImageTool("docker-registry", search())).toEqual({
    reason: "no docker-registry on PATH, and apt-get has no package of it (spawn apt-get ENOENT)",
  });
});

// Finds what the tests of images need: a registry, and a client of others that pulls from it. From PATH, the project's cache, or last
// Debian's package, unpacked into that cache. Where one cannot be had, the tests that need it are named as not run.
import { join } from "node:path";
import { projectRoot } from "../project-root.js";
import { unpackWithDependencies } from "./debian-package.js";
import { searchProgram, type ProgramOrReason, type ProgramSearch, type ProgramSource } from "./packaged-program.js";

/** By their packages' names. */
export type ImageTool = "docker-registry" | "skopeo";

const SOURCES: Readonly<Record<ImageTool, ProgramSource>> = {
  "docker-registry": packaged("docker-registry", /docker\/distribution v?2\./),
  skopeo: packaged("skopeo", /^skopeo version 1\./),
};

export function findImageTool(name: ImageTool): Promise<ProgramOrReason> {
  return searchImageTool(name, { env: process.env, cacheDir: join(projectRoot, ".cache") });
}

/** `findImageTool` with its surroundings passed in. */
export function searchImageTool(name: ImageTool, search: ProgramSearch): Promise<ProgramOrReason> {
  return searchProgram(SOURCES[name], search);
}

function packaged(name: ImageTool, version: RegExp): ProgramSource {
  const program = new RegExp(`^usr/bin/${name}$`);
  const fetch: ProgramSource["fetch"] = (target, env) => unpackWithDependencies({ packageName: name, target, env });
  return { name, onPath: name, version, folder: name, program, fetch };
}

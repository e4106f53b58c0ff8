// The workflows of GitHub Actions call what is there, on the versions of Node that the project names, and may do little.
import { accessSync, constants, existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { projectRoot } from "../../scripts/project-root.js";
import { textOf } from "./docs.js";

interface Step {
  readonly uses?: string;
  readonly run?: string;
  readonly with?: Readonly<Record<string, unknown>>;
  readonly env?: Readonly<Record<string, string>>;
}

type Permissions = Readonly<Record<string, string>>;

interface Job {
  readonly uses?: string;
  readonly steps?: readonly Step[];
  readonly permissions?: Permissions;
  readonly strategy?: { readonly matrix: { readonly node: readonly string[] } };
  readonly "timeout-minutes"?: number;
}

interface Workflow {
  readonly on: Readonly<Record<string, unknown>>;
  readonly permissions: Permissions;
  readonly concurrency: { readonly group: string };
  readonly jobs: Readonly<Record<string, Job>>;
}

interface Package {
  readonly version: string;
  readonly private?: boolean;
  readonly engines: { readonly node: string };
  readonly scripts: Readonly<Record<string, string>>;
}

const FOLDER = ".github/workflows";
const FILES = readdirSync(join(projectRoot, FOLDER));
const TRIGGERS = ["push", "pull_request", "workflow_call"];
/** A commit, and the tag that it had: what a tag names can be changed by whoever owns the action. */
const PINNED = /^[\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/;

const workflowIn = (file: string): Workflow => parse(textOf(join(FOLDER, file))) as Workflow;
const jobsOf = (file: string): Job[] => Object.values(workflowIn(file).jobs);
const stepsOf = (file: string): Step[] => jobsOf(file).flatMap(({ steps = [] }) => steps);
const commandsOf = (file: string): string[] => stepsOf(file).flatMap(({ run }) => run ?? []);
const usesOf = (file: string): string[] =>
  [...textOf(join(FOLDER, file)).matchAll(/uses: (.+)$/gm)].map(([, w = ""]) => w);
const project = JSON.parse(textOf("package.json")) as Package;

/** The oldest that package.json allows, and the image's. */
function nodeVersions(): string[] {
  const oldest = /^>=(.+)$/.exec(project.engines.node)?.[1] ?? "";
  const image = /^FROM node:(\d+)/m.exec(textOf("Dockerfile"))?.[1] ?? "";
  return [oldest, image];
}

describe.each(FILES)("%s", (file) => {
  it("a workflow calls npm scripts that package.json has", () => {
    const called = commandsOf(file).flatMap((run) =>
      [...run.matchAll(/npm run (?:--silent )?([\w:-]+)/g)].map(([, name = ""]) => name),
    );
    expect(called.filter((name) => !(name in project.scripts))).toEqual([]);
  });

  it("a workflow calls files that are there", () => {
    const named = commandsOf(file).flatMap((run) => run.match(/(?:\.ci|scripts)\/[\w./-]+/g) ?? []);
    const workflows = usesOf(file).filter((one) => one.startsWith("./"));
    expect([...named, ...workflows].filter((path) => !existsSync(join(projectRoot, path)))).toEqual([]);
  });

  it("a workflow pins each action of others to a commit", () => {
    const others = usesOf(file).filter((one) => !one.startsWith("./"));
    expect(others.length).toBeGreaterThan(0);
    expect(others.filter((one) => !PINNED.test(one))).toEqual([]);
  });

  it("a workflow sets up only versions of Node that the project names", () => {
    const set = stepsOf(file).flatMap((step) => step.with?.["node-version"] ?? []);
    expect(set.length).toBeGreaterThan(0);
    for (const version of set) expect([...nodeVersions(), "${{ matrix.node }}"]).toContain(version);
  });

  it("a workflow runs on harmless events, and for a bounded time", () => {
    expect(Object.keys(workflowIn(file).on).filter((trigger) => !TRIGGERS.includes(trigger))).toEqual([]);
    for (const job of jobsOf(file)) if (job.uses === undefined) expect(job["timeout-minutes"]).toBeLessThanOrEqual(60);
  });

  it("a workflow may read and no more, unless one job says otherwise", () => {
    expect(workflowIn(file).permissions).toEqual({ contents: "read" });
  });

  it("a workflow leaves no credential in the clone", () => {
    const clones = stepsOf(file).filter(({ uses }) => uses?.startsWith("actions/checkout@"));
    expect(clones.length).toBeGreaterThan(0);
    for (const clone of clones) expect(clone.with).toMatchObject({ "persist-credentials": false });
  });

  it("a workflow puts no expression into a shell command", () => {
    expect(commandsOf(file).filter((run) => run.includes("${{"))).toEqual([]);
  });
});

it("ci.yml runs .ci/run on the oldest Node that is supported and on the image's", () => {
  const [check, ...others] = jobsOf("ci.yml");
  expect(others).toEqual([]);
  expect(check?.strategy?.matrix.node).toEqual(nodeVersions());
  expect(commandsOf("ci.yml")).toEqual([".ci/run", "npm run long -- test/long/containers.test.ts"]);
  accessSync(join(projectRoot, ".ci/run"), constants.X_OK);
});

it("a release is published by one job, after its images and the checks of ci.yml", () => {
  const { jobs } = workflowIn("release.yml");
  expect(jobs).toMatchObject({ check: { needs: "version", uses: "./.github/workflows/ci.yml" } });
  expect(jobs).toMatchObject({ images: { needs: "check", permissions: { contents: "read", packages: "write" } } });
  expect(jobs).toMatchObject({ publish: { needs: "images", permissions: { contents: "write" } } });
  expect(Object.entries(jobs).filter(([, { permissions }]) => permissions !== undefined)).toHaveLength(2);
});

it("a release gives its token to the last step of a job alone", () => {
  for (const { steps = [] } of jobsOf("release.yml")) {
    const withToken = steps.filter(({ env }) => JSON.stringify(env ?? {}).includes("github.token"));
    expect(withToken.filter((step) => step !== steps.at(-1))).toEqual([]);
  }
});

it("a release pushes an image of each of the filter's builds", () => {
  const pushes = commandsOf("release.yml").find((run) => run.includes("npm run --silent image -- push")) ?? "";
  const builds = /for build in (.*);/.exec(pushes)?.[1]?.split(" ") ?? [];
  expect(builds).toHaveLength(3);
  for (const build of builds) expect(project.scripts["build:filter"]).toContain(`build/${build}.wasm`);
});

it("a release carries the filter's builds under the names that the build gives them", () => {
  const files = commandsOf("release.yml")
    .at(-1)
    ?.match(/build\/[\w-]+\.wasm/g);
  expect(files).toEqual(["build/sluice.wasm", "build/sluice-lean.wasm", "build/sluice-settle.wasm"]);
  for (const file of files ?? []) expect(project.scripts["build:filter"]).toContain(file);
});

it("a release does not wait for itself: its checks are in another group", () => {
  const groups = FILES.map((file) => workflowIn(file).concurrency.group);
  expect(new Set(groups).size).toBe(FILES.length);
});

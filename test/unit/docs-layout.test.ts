// The "Layout" of docs/architecture.md has each folder of both programs and each room of the tests, and no other.
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { projectRoot } from "../../scripts/project-root.js";
import { sectionOf } from "./docs.js";

/** The folders that it names: an entry stands in the one above it that is indented less. */
function foldersOfLayout(): string[] {
  const [, block = ""] = /```\n(assembly\/.*?)```/s.exec(sectionOf("docs/architecture.md", "Layout")) ?? [];
  const above: { indent: number; folder: string }[] = [];
  return block.split("\n").flatMap((line) => {
    const [, spaces = "", entry] = /^( *)((?:[\w-]+\/)+)[\w.]*(?: |$)/.exec(line) ?? [];
    if (entry === undefined) return [];
    const indent = spaces.length;
    while ((above.at(-1)?.indent ?? -1) >= indent) above.pop();
    const folder = join(above.at(-1)?.folder ?? "", entry).replace(/\/$/, "");
    above.push({ indent, folder });
    return [folder];
  });
}

function foldersBelow(folder: string): string[] {
  const entries = readdirSync(join(projectRoot, folder), { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile() && /\.(ts|json)$/.test(entry.name));
  const below = files.map(({ parentPath }) => parentPath.slice(projectRoot.length).replace(/^\//, ""));
  return [...new Set(below)].sort();
}

it("the layout in docs/architecture.md names each folder of the programs and of the tests", () => {
  const named = foldersOfLayout();
  expect(named).toContain("control-plane/src/app/edges/status");
  const tests = foldersBelow("test").map((folder) => folder.split("/").slice(0, 2).join("/"));
  const there = [...foldersBelow("assembly"), ...foldersBelow("control-plane/src"), ...new Set(tests)];
  expect(there.filter((folder) => !named.includes(folder) && folder !== "test")).toEqual([]);
});

it("the layout in docs/architecture.md names no folder that is not there", () => {
  const named = foldersOfLayout();
  expect(named.filter((folder) => !existsSync(join(projectRoot, folder)))).toEqual([]);
});

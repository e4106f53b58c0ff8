// Every link between the project's documents leads somewhere, and so does every mention of a document in the code.
import { existsSync, readdirSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { describe, expect, it } from "vitest";
import { projectRoot } from "../../scripts/project-root.js";
import { textOf } from "./docs.js";

const DOCUMENTS = [
  ...filesBelow("docs", ".md"),
  ...["README", "CHANGELOG", "CONTRIBUTING", "RELEASE", "SECURITY"].map((name) => `${name}.md`),
];
const SOURCES = ["assembly", "control-plane", "scripts", "envoy"].flatMap((folder) => filesBelow(folder, ""));

function filesBelow(folder: string, extension: string): string[] {
  const entries = readdirSync(join(projectRoot, folder), { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile() && entry.name.endsWith(extension));
  return files.map(({ parentPath, name }) => join(parentPath, name).slice(projectRoot.length).replace(/^\//, ""));
}

function headings(document: string): string[] {
  return [...textOf(document).matchAll(/^#+ (.+)$/gm)].map(([, title = ""]) => title);
}

/** As code hosts make it of a heading. */
function anchorOf(title: string): string {
  return title
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, "")
    .replaceAll(" ", "-");
}

describe.each(DOCUMENTS)("%s", (document) => {
  const links = [...textOf(document).matchAll(/\]\((?!https?:)([^)#]*)(?:#([^)]+))?\)/g)];

  it("links of a document lead to files and headings that are there", () => {
    const broken = links.filter(([, path = "", anchor]) => {
      const target = path === "" ? document : normalize(join(dirname(document), path));
      if (!existsSync(join(projectRoot, target))) return true;
      return anchor !== undefined && !headings(target).map(anchorOf).includes(anchor);
    });
    expect(broken.map(([link]) => link)).toEqual([]);
  });
});

/** Where a document may begin a path: at the root, or at a program's source where the context says which. */
const BEGINNINGS = ["", "assembly/", "control-plane/", "control-plane/src/", "docs/"];

function sourceNamed(path: string): string | undefined {
  return BEGINNINGS.map((beginning) => beginning + path).find((file) => existsSync(join(projectRoot, file)));
}

it("every file that a document names is there", () => {
  const named = DOCUMENTS.flatMap((document) =>
    [...textOf(document).matchAll(/`((?:[\w-]+\/)+[\w.-]+\.(?:ts|mjs|json|yaml|py|md))`/g)].map(
      ([, path = ""]) => path,
    ),
  );
  expect(named.length).toBeGreaterThan(50);
  expect(named.filter((path) => sourceNamed(path) === undefined)).toEqual([]);
});

it("every function that a document names with its file is in that file", () => {
  const named = DOCUMENTS.flatMap((document) =>
    [...textOf(document).matchAll(/`([\w.]+)`\s\(`((?:[\w-]+\/)+[\w.-]+\.ts)`/g)].map(([, name = "", path = ""]) => ({
      name: name.replace(/^.*\./, ""),
      path,
    })),
  );
  expect(named.length).toBeGreaterThan(15);
  const missing = named.filter(({ name, path }) => {
    const source = sourceNamed(path);
    return source === undefined || !new RegExp(`\\b${name}\\b`).test(textOf(source));
  });
  expect(missing).toEqual([]);
});

it("every document and section that the code names is there", () => {
  const mentions = SOURCES.flatMap((file) =>
    [...textOf(file).matchAll(/(docs\/[a-z/-]*(?:\.md|\.json)?)(?:, "([^"]+)")?/g)].map(
      ([, document = "", section]) => ({
        file,
        document,
        section,
      }),
    ),
  );
  expect(mentions.length).toBeGreaterThan(10);
  const wrong = mentions.filter(({ document, section }) => {
    if (!existsSync(join(projectRoot, document))) return true;
    return section !== undefined && !headings(document).includes(section);
  });
  expect(wrong).toEqual([]);
});

// node scripts/release-notes.mjs TAG [URL [IMAGES]]: prints the changelog's section of a release, or says why this commit cannot
// be the release TAG. Links to files of the project then begin with URL. IMAGES are references with their digests, a line each, which are listed at the end. Plain JavaScript: it runs before anything is built.
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";

const root = dirname(import.meta.dirname);
const SECTION = /^## \[(.+?)\](.*)\n([^]*?)(?=^## \[|(?![^]))/gm;
const DATED = /^ – \d{4}-\d{2}-\d{2}$/;
const FILTER_VERSION = /^export const FILTER_VERSION: string = "(.*)";$/m;

const read = (file) => readFileSync(join(root, file), "utf8");

/** What keeps this commit from being the release `tag`; a sentence each. */
function obstacles(tag, section) {
  const { version } = JSON.parse(read("package.json"));
  const lock = JSON.parse(read("package-lock.json")).version;
  const filter = FILTER_VERSION.exec(read("assembly/contract.ts"))?.[1];
  return [
    tag !== `v${version}` && `the tag is ${tag}, but package.json has version ${version}: the tag would be v${version}`,
    lock !== version && `package-lock.json has version ${lock}, package.json ${version}: npm install mends it`,
    filter !== version && `FILTER_VERSION in assembly/contract.ts is ${filter}, the version in package.json ${version}`,
    ...changelogObstacles(version, section),
  ].filter((sentence) => sentence !== false);
}

function changelogObstacles(version, section) {
  if (section === undefined) return [`CHANGELOG.md has no section "## [${version}]"`];
  return [
    !DATED.test(section.rest) &&
      `the heading of ${version} in CHANGELOG.md does not end with its date: " – YYYY-MM-DD"`,
    section.text === "" && `the section of ${version} in CHANGELOG.md is empty`,
  ];
}

function sectionOf(version) {
  const sections = [...read("CHANGELOG.md").matchAll(SECTION)];
  const [, , rest, text] = sections.find(([, name]) => name === version) ?? [];
  return text === undefined ? undefined : { rest: rest.trimEnd(), text: text.trim() };
}

const withLinksTo = (url, text) => text.replaceAll(/\]\((?!https?:)/g, `](${url}/`);

/** A tag can be moved; what is named by its digest is what was checked. */
function imagesSection(images) {
  const references = images.split("\n").filter((line) => line !== "");
  const wrong = references.find((line) => !/^\S+@sha256:[0-9a-f]{64}$/.test(line));
  if (wrong !== undefined) fail([`${wrong} is no image, expected REGISTRY/NAME:TAG@sha256:DIGEST`]);
  return `\n\n### Images\n\n${references.map((line) => `- \`${line}\``).join("\n")}`;
}

function fail(sentences) {
  for (const sentence of sentences) console.error(`sluice: ${sentence}`);
  process.exit(1);
}

const [tag, url, images] = process.argv.slice(2);
if (tag === undefined) {
  console.error("usage: node scripts/release-notes.mjs TAG [URL [IMAGES]]");
  process.exit(2);
}
const section = sectionOf(JSON.parse(read("package.json")).version);
const found = obstacles(tag, section);
if (found.length > 0) fail(found);
const notes = url === undefined ? section.text : withLinksTo(url, section.text);
console.log(images === undefined ? notes : notes + imagesSection(images));

// docs/stores.md says of the server what Compose gives Valkey, and what the tests of the store run with.
import { expect, it } from "vitest";
import {
  CLUSTER_RULES,
  DEFAULT_USER,
  OTHER_DATABASE_RULES,
  STORE_SERVER_SETTINGS,
  STORE_USER_RULES,
  storeServerConfiguration,
} from "../../scripts/store-server.js";
import { sectionOf } from "./docs.js";

const FILE = "docs/stores.md";
const blocksOf = (title: string): string[] =>
  [...sectionOf(FILE, title).matchAll(/^```\n(.*?)\n```$/gms)].map(([, block = ""]) => block);

it("docs/stores.md has the server's settings that Compose gives Valkey", () => {
  expect(blocksOf("The server")[0]?.split("\n")).toEqual(STORE_SERVER_SETTINGS);
});

it("docs/stores.md has the rules of the store's user that Compose gives Valkey", () => {
  expect(blocksOf("Who may do what")).toEqual([`${DEFAULT_USER}\nuser sluice on #SHA256 ${STORE_USER_RULES}`]);
});

it("docs/stores.md has what a cluster and another database need, as the tests have it", () => {
  const said = sectionOf(FILE, "Who may do what");
  for (const rules of [CLUSTER_RULES, OTHER_DATABASE_RULES])
    expect(said).toContain(`\`${rules.replaceAll("|", "\\|")}\``);
});

it("Valkey's file in Compose has the hash of the password, and not the password", () => {
  const lines = storeServerConfiguration("/data", "secret").split("\n");
  expect(lines.join("\n")).not.toContain("secret");
  expect(lines).toContain(
    `user sluice on #2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b ${STORE_USER_RULES}`,
  );
});

// Where libfaketime comes from, and what is said when it comes from nowhere.
import { readdirSync } from "node:fs";
import { expect, it } from "vitest";
import { searchLibfaketime } from "../../scripts/test/get-libfaketime.js";
import { fakePrograms } from "./fake-programs.js";

const { cacheDir, search, program } = fakePrograms();

const found = () => searchLibfaketime(search());

it("a search for libfaketime that finds none names what was lacking", async () => {
  const lacking = "no libfaketime in .cache, and";
  expect(await found()).toEqual({ reason: `${lacking} apt-get has no package of it (spawn apt-get ENOENT)` });
  program("apt-get", "/bin/touch libfaketime_0.9_amd64.deb");
  program("dpkg-deb", "/bin/mkdir -p usr/lib/x/faketime; /bin/touch usr/lib/x/faketime/libfaketime.so.1");
  expect(await found()).toEqual({ reason: "the libfaketime of Debian's package does not work here" });
  expect(readdirSync(cacheDir())).toEqual(["libfaketime.so"]);
});

// Lint rules. The import direction of the layout is held here: each folder names what it may not import.
import tseslint from "typescript-eslint";

/** A rule that forbids imports whose path matches one of the patterns, with the reason a reader sees. */
const forbid = (files, group, message, ignores = []) => ({
  files,
  ignores,
  rules: { "no-restricted-imports": ["error", { patterns: [{ group, message }] }] },
});

const PROXY_RUNTIME = "@solo-io/proxy-runtime*";
const filterDirection = "Imports point index → filter → {domain, memory, host}, host → memory, domain → memory.";
const planeDirection = "Imports point http → app → domain ← render ← cli; store implements app/ports; main joins.";
const others = (...folders) => folders.map((folder) => `**/${folder}/**`);

export default tseslint.config(
  { ignores: ["build/", "node_modules/", ".cache/", ".sluice/"] },
  {
    files: ["**/*.ts", "**/*.mjs", "**/*.js"],
    extends: [tseslint.configs.base],
    linterOptions: { reportUnusedDisableDirectives: "error" },
    rules: {
      eqeqeq: "error",
      "no-var": "error",
      "prefer-const": "error",
      "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_" }],
    },
  },
  {
    // AssemblyScript: no type-aware rule, they would call its casts unnecessary.
    files: ["assembly/**/*.ts", "test/filters/**/*.ts"],
    languageOptions: { parserOptions: { allowInvalidAST: true } },
    rules: { eqeqeq: "off" },
  },
  {
    files: ["control-plane/**/*.ts", "scripts/**/*.ts", "test/**/*.ts", "*.ts"],
    ignores: ["test/filters/**"],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true, allowBoolean: true }],
      "@typescript-eslint/consistent-type-imports": "error",
      "@typescript-eslint/switch-exhaustiveness-check": "error",
      "max-lines-per-function": ["warn", { max: 60, skipComments: true, skipBlankLines: true }],
    },
  },
  {
    files: ["**/test/**/*.ts", "test/**/*.ts"],
    rules: { "max-lines-per-function": "off" },
  },
  forbid(["assembly/contract.ts"], ["*"], "contract.ts is compiled by asc and by tsc and imports nothing."),
  forbid(["assembly/index.ts", "assembly/lean.ts"], [PROXY_RUNTIME, ...others("domain", "host")], filterDirection),
  forbid(["assembly/filter/**"], [PROXY_RUNTIME, "**/index"], filterDirection, ["**/__tests__/**"]),
  forbid(["assembly/host/**"], ["**/index", ...others("domain", "filter")], filterDirection),
  forbid(["assembly/domain/**"], [PROXY_RUNTIME, "**/index", ...others("host", "filter")], filterDirection),
  forbid(["assembly/memory/**"], [PROXY_RUNTIME, "**/index", ...others("host", "filter", "domain")], filterDirection),
  forbid(["control-plane/src/domain/**"], others("app", "http", "store", "cli", "render"), planeDirection),
  forbid(["control-plane/src/render/**"], others("app", "http", "store", "cli"), planeDirection),
  forbid(["control-plane/src/app/**"], others("http", "store", "cli", "render"), planeDirection),
  forbid(["control-plane/src/http/**"], others("store", "cli", "render"), planeDirection),
  forbid(["control-plane/src/store/**"], others("http", "cli", "render"), planeDirection),
  forbid(["control-plane/src/cli/**"], others("app", "http", "store"), planeDirection),
  {
    // One place of each program reads the environment, so that every setting is judged at start and named in one list.
    files: ["control-plane/src/**/*.ts"],
    ignores: ["control-plane/src/main.ts", "control-plane/src/store-admin.ts", "control-plane/src/cli/**"],
    rules: {
      "no-restricted-properties": [
        "error",
        { object: "process", property: "env", message: "Only main.ts reads the environment." },
        { object: "Date", property: "now", message: "Time is passed in (app/ports.ts: Clock)." },
        { object: "Math", property: "random", message: "Randomness is passed in (app/ports.ts)." },
      ],
    },
  },
);

// Lint rules for what stands in a file. Which file may import which: .dependency-cruiser.mjs.
import tseslint from "typescript-eslint";

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
  {
    // By themselves vitest's waits give up after 1 s, which a slow machine takes for less than one of them.
    files: ["**/test/**/*.ts", "test/**/*.ts"],
    ignores: ["control-plane/test/support/until.ts"],
    rules: {
      "no-restricted-properties": [
        "error",
        { object: "vi", property: "waitFor", message: "Wait with `until` (control-plane/test/support/until.ts)." },
        { object: "vi", property: "waitUntil", message: "Wait with `until` (control-plane/test/support/until.ts)." },
      ],
      "no-restricted-syntax": [
        "error",
        {
          selector: "CallExpression[callee.object.name='expect'][callee.property.name='poll'][arguments.length>1]",
          message: "vitest.config.ts says how long expect.poll waits.",
        },
      ],
    },
  },
  {
    // One place of each program reads the environment, so that every setting is checked at start and named in one list.
    files: ["control-plane/src/**/*.ts"],
    ignores: [
      "control-plane/src/main.ts",
      "control-plane/src/store-admin.ts",
      "control-plane/src/health-check.ts",
      "control-plane/src/cli/**",
    ],
    rules: {
      "no-restricted-properties": [
        "error",
        { object: "process", property: "env", message: "Only main.ts reads the environment." },
        { object: "Date", property: "now", message: "Time is passed in (app/ports/ports.ts: Clock)." },
        { object: "Math", property: "random", message: "Randomness is passed in (app/ports/ports.ts)." },
      ],
    },
  },
);

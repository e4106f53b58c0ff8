// as-pect: the specs of the filter's pure parts. `npm run unit:filter` runs all, with paths behind `--` only those.
import { readFileSync } from "node:fs";

// Between cells and between rows: characters that stand in no vector.
const CELL_END = "\u001f";
const ROW_END = "\u001e";

/** The rows of one list in test/vectors/<file>, only the named columns, as one text. Specs cannot read files. */
function vectorTable(file, list, columns) {
  const rows = JSON.parse(readFileSync(new URL(`./test/vectors/${file}`, import.meta.url), "utf8"))[list];
  if (!Array.isArray(rows) || rows.length === 0) throw new Error(`${file} has no rows in "${list}"`);
  return rows
    .map((row) =>
      columns
        .split(",")
        .map((column) => cellOf(row, column, file))
        .join(CELL_END),
    )
    .join(ROW_END);
}

function cellOf(row, column, file) {
  const cell = row[column];
  if (cell === undefined) throw new Error(`${file}: a row lacks "${column}"`);
  return typeof cell === "string" ? cell : JSON.stringify(cell);
}

const namedSpecs = process.argv.slice(2).filter((argument) => argument.endsWith(".spec.ts"));

export default {
  // as-pect adds these to the paths it was given.
  entries: namedSpecs.length > 0 ? [] : ["assembly/__tests__/**/*.spec.ts"],
  include: ["assembly/__tests__/**/*.include.ts"],
  disclude: [/node_modules/],
  async instantiate(memory, createImports, instantiate, binary) {
    const vectors = {
      table: (file, list, columns) => {
        const { __getString, __newString } = program.exports;
        return __newString(vectorTable(__getString(file), __getString(list), __getString(columns)));
      },
    };
    // Awaited, or `program.exports` would be undefined when a spec calls in.
    const program = await instantiate(binary, createImports({ env: { memory }, vectors }));
    return program;
  },
};

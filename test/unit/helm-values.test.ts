// The values of the chart: each is described, good ones are taken, and bad ones are refused at their place.
import { Ajv } from "ajv";
import { expect, it } from "vitest";
import { parse } from "yaml";
import { CHART, VALUES } from "../../scripts/chart/chart-files.js";
import { extraVariables, variablesOfSchema } from "../../scripts/chart/extra-variables.js";
import { badValues, goldenManifests, isMap, merged, NAMES, podIn, type Values } from "../helm/chart.js";
import { textOf } from "./docs.js";

interface Schema {
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: unknown;
  readonly items?: Schema;
}

const schema = JSON.parse(textOf(`${CHART}/values.schema.json`)) as Schema;
const defaults = parse(textOf(`${CHART}/values.yaml`)) as Values;
const validate = new Ajv({ allErrors: true, strict: true, strictTypes: false }).compile(schema);

/** Where the schema finds something wrong. */
function placesOf(values: Values): string[] {
  if (validate(merged(defaults, values))) return [];
  return [...new Set((validate.errors ?? []).map(({ instancePath }) => instancePath))];
}

it.each(NAMES)("the chart's schema takes good values: %s", (name) => {
  expect(placesOf((parse(textOf(`${VALUES}/${name}.yaml`)) ?? {}) as Values)).toEqual([]);
});

const refusedBySchema = badValues().filter(({ at }) => at !== undefined);
it.each(refusedBySchema)("the chart's schema refuses $name", ({ at, values }) => {
  expect(placesOf(values)).toContain(at);
});

it("the chart's schema leaves to the chart what it can say better: what cannot go together", () => {
  const told = badValues().filter(({ at }) => at === undefined);
  expect(told.length).toBeGreaterThan(10);
  expect(told.flatMap(({ values }) => placesOf(values))).toEqual([]);
});

/** Set by a chart that this one is a part of. */
const OF_A_PARENT = ["global", "enabled"];
const ownKeys = (at: string, keys: readonly string[]): string[] =>
  keys.filter((key) => at !== "" || !OF_A_PARENT.includes(key));

/** Of each map with fixed keys: its path, keys and whether it is open. */
function mapsOf(at: string, part: Schema): { at: string; keys: string[]; open: boolean; silent: string[] }[] {
  if (part.properties === undefined) return [];
  const entries = Object.entries(part.properties);
  const silent = entries.filter(([, { description }]) => description === undefined).map(([key]) => key);
  const own = { at, keys: entries.map(([key]) => key), open: part.additionalProperties !== false, silent };
  return [own, ...entries.flatMap(([key, value]) => mapsOf(`${at}/${key}`, value))];
}

it("every value of the chart has a default and a description, and no map of values is open", () => {
  const lookUp = (at: string): unknown =>
    at.split("/").reduce<unknown>((value, key) => (key === "" || !isMap(value) ? value : value[key]), defaults);
  for (const { at, keys, open, silent } of mapsOf("", schema)) {
    const value = lookUp(at);
    const there = isMap(value) ? Object.keys(value) : [];
    expect({ at, open, silent, keys: ownKeys(at, keys).sort() }).toEqual({
      at,
      open: false,
      silent: [],
      keys: there.sort(),
    });
  }
});

it("extraEnv takes the variables of the settings that no value sets: npm run chart -- --write", () => {
  expect(variablesOfSchema()).toContain("SLUICE_AUDIT_RETENTION");
  expect(variablesOfSchema()).toEqual(extraVariables());
});

it("extraEnv takes no variable that the chart sets itself, with whichever values", () => {
  const set = NAMES.filter((name) => name !== "extras").flatMap((name) =>
    podIn(goldenManifests(name)).spec.containers.flatMap(({ env = [] }) => env.map((variable) => variable.name)),
  );
  expect(new Set(set).size).toBeGreaterThan(12);
  expect(extraVariables().filter((name) => set.includes(name))).toEqual([]);
});

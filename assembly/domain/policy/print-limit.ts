// Prints a limit, and how its bucket fills, as canonical JSON.
import { REFILL_RATE_DECIMALS } from "../../contract";
import { JsonWriter } from "../json/writer";
import { APPLIES, Limit } from "./limit-model";

export function printLimit(limit: Limit, json: JsonWriter): void {
  json.beginObject();
  json.name("name").string(limit.name);
  json.name("maxTokens").integer(limit.maxTokens);
  printRate(limit, json);
  json.name("applies").string(APPLIES.word(limit.applies));
  json.endObject();
}

/** As the document says it: one of the two, and null for the other. */
export function printRate(limit: Limit, json: JsonWriter): void {
  const isRefill = limit.refill.length > 0;
  json.name("tokenRefillRate").raw(isRefill ? "null" : microText(limit.ratePico));
  json.name("refill");
  if (isRefill) json.string(limit.refill);
  else json.raw("null");
}

/** Millionths as the shortest exact decimal: 2500000 is `2.5`. */
export function microText(micro: u64): string {
  const whole = (micro / 1000000).toString();
  let fraction = (micro % 1000000).toString().padStart(REFILL_RATE_DECIMALS, "0");
  while (fraction.endsWith("0")) fraction = fraction.substring(0, fraction.length - 1);
  return fraction.length == 0 ? whole : `${whole}.${fraction}`;
}

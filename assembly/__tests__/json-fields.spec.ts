// Typed access to JSON fields, exact numbers, and the JSON writer.
import { FIELD_ABSENT, FIELD_FOUND, FIELD_UNFIT, getBool, getString, getU64 } from "../domain/json/fields";
import { JsonNode } from "../domain/json/node";
import { NUMBER_FITS, NUMBER_NEGATIVE, NUMBER_TOO_FINE, NUMBER_TOO_LARGE, scaleNumber } from "../domain/json/number";
import { readJson } from "../domain/json/reader";
import { JsonWriter, quoteJson } from "../domain/json/writer";

function objectOf(text: string): JsonNode {
  return readJson(text).root!;
}

function expectNumber(text: string, decimals: i32, value: u64): void {
  const number = scaleNumber(text, decimals);
  expect(number.state).toBe(NUMBER_FITS, text);
  expect(number.value).toBe(value, text);
}

describe("a number in JSON", () => {
  test("every spelling of an integer gives that integer", () => {
    expectNumber("0", 0, 0);
    expectNumber("-0", 0, 0);
    expectNumber("-0.000e5", 0, 0);
    expectNumber("0e99999999999999999999", 0, 0);
    expectNumber("10", 0, 10);
    expectNumber("1e1", 0, 10);
    expectNumber("1.0", 0, 1);
    expectNumber("1.50e1", 0, 15);
    expectNumber("1000e-2", 0, 10);
    expectNumber("0.001E+3", 0, 1);
    expectNumber("10" + "0".repeat(400) + "e-400", 0, 10);
    expectNumber("0." + "0".repeat(400) + "7e401", 0, 7);
    expectNumber("18446744073709551615", 0, u64.MAX_VALUE);
    expectNumber("1844674407370955161.5e1", 0, u64.MAX_VALUE);
    expectNumber("18446744073709551615000e-3", 0, u64.MAX_VALUE);
  });

  test("a decimal is scaled exactly", () => {
    expectNumber("7.000001", 6, 7000001);
    expectNumber("1e-6", 6, 1);
    expectNumber("0.1", 6, 100000);
    expectNumber("1000000", 6, 1000000000000);
    expectNumber("999999.999999000", 6, 999999999999);
  });

  test("a number that does not fit gives an error and never wraps", () => {
    expect(scaleNumber("-1", 0).state).toBe(NUMBER_NEGATIVE);
    expect(scaleNumber("-0.5e-9999999999999999999", 0).state).toBe(NUMBER_NEGATIVE);
    expect(scaleNumber("1.5", 0).state).toBe(NUMBER_TOO_FINE);
    expect(scaleNumber("1e-7", 6).state).toBe(NUMBER_TOO_FINE);
    expect(scaleNumber("1e-9999999999999999999999", 6).state).toBe(NUMBER_TOO_FINE);
    expect(scaleNumber("123456789012345678901234567890.5", 0).state).toBe(NUMBER_TOO_FINE);
    expect(scaleNumber("18446744073709551616", 0).state).toBe(NUMBER_TOO_LARGE);
    expect(scaleNumber("18446744073709.551616", 6).state).toBe(NUMBER_TOO_LARGE);
    expect(scaleNumber("36893488147419103232", 0).state).toBe(NUMBER_TOO_LARGE);
    expect(scaleNumber("1e20", 0).state).toBe(NUMBER_TOO_LARGE);
    expect(scaleNumber("1e9999999999999999999999", 0).state).toBe(NUMBER_TOO_LARGE);
    expect(scaleNumber("9".repeat(500), 0).state).toBe(NUMBER_TOO_LARGE);
  });
});

describe("a field of the control plane's answer", () => {
  test("a field that is present gives its value", () => {
    const answer = objectOf(
      '{"state":"live","level":8.8e7,"consumed":18446744073709551615,"budgetSpent":false,"x":true}',
    );
    expect(getString(answer, "state").state).toBe(FIELD_FOUND);
    expect(getString(answer, "state").value).toBe("live");
    expect(getU64(answer, "level").state).toBe(FIELD_FOUND);
    expect(getU64(answer, "level").value).toBe(88000000);
    expect(getU64(answer, "consumed").value).toBe(u64.MAX_VALUE);
    expect(getBool(answer, "budgetSpent").state).toBe(FIELD_FOUND);
    expect(getBool(answer, "budgetSpent").value).toBe(false);
    expect(getBool(answer, "x").value).toBe(true);
  });

  test("a field that is missing counts as absent", () => {
    const answer = objectOf('{"State":1}');
    expect(getString(answer, "state").state).toBe(FIELD_ABSENT);
    expect(getU64(answer, "state").state).toBe(FIELD_ABSENT);
    expect(getBool(answer, "state").state).toBe(FIELD_ABSENT);
  });

  test("a field of a wrong type, null, repeated or out of range does not fit", () => {
    const answer = objectOf('{"s":"1","n":null,"t":"a","t":"a","i":1,"m":-1,"f":0.5,"h":18446744073709551616}');
    expect(getU64(answer, "s").state).toBe(FIELD_UNFIT);
    expect(getString(answer, "i").state).toBe(FIELD_UNFIT);
    expect(getBool(answer, "i").state).toBe(FIELD_UNFIT);
    expect(getString(answer, "n").state).toBe(FIELD_UNFIT);
    expect(getString(answer, "t").state).toBe(FIELD_UNFIT);
    expect(getU64(answer, "m").state).toBe(FIELD_UNFIT);
    expect(getU64(answer, "f").state).toBe(FIELD_UNFIT);
    expect(getU64(answer, "h").state).toBe(FIELD_UNFIT);
    expect(getString(objectOf("[]"), "s").state).toBe(FIELD_UNFIT);
    expect(getU64(objectOf("7"), "s").state).toBe(FIELD_UNFIT);
  });
});

describe("JSON, written by the filter", () => {
  test("commas stand between values and nowhere else", () => {
    const json = new JsonWriter();
    json.beginObject().name("a").integer(u64.MAX_VALUE).name("b").beginArray().endArray();
    json.name("c").beginArray().string("x").beginObject().endObject().raw("1.5").endArray().endObject();
    expect(json.toString()).toBe('{"a":18446744073709551615,"b":[],"c":["x",{},1.5]}');
  });

  test("a string reads back as it was written", () => {
    expect(quoteJson('a"b\\c\n\r\t')).toBe('"a\\"b\\\\c\\n\\r\\t"');
    expect(quoteJson("\u0000\u001fé€😀")).toBe('"\\u0000\\u001fé€😀"');
    for (let unit = 0; unit < 0x3000; unit++) {
      const text = "a" + String.fromCharCode(unit) + "b";
      expect(objectOf(quoteJson(text)).text).toBe(text);
    }
  });
});

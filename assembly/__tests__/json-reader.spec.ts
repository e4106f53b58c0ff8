// The strict JSON reader against a corpus and against broken documents.
import {
  JSON_ARRAY,
  JSON_FALSE,
  JSON_NULL,
  JSON_NUMBER,
  JSON_OBJECT,
  JSON_STRING,
  JSON_TRUE,
} from "../domain/json/node";
import { describePosition, readJson } from "../domain/json/reader";
import { vectorRows } from "./vectors";

/** Empty for JSON, else what is wrong and where. */
function errorOf(text: string): string {
  const reading = readJson(text);
  return reading.root === null ? `${reading.message} at ${describePosition(text, reading.offset)}` : "";
}

function stringIn(text: string): string {
  return readJson(text).root!.text;
}

describe("JSON, read by the filter", () => {
  test("every document of the corpus is read, or rejected with its listed error", () => {
    const rows = vectorRows("policy/json-reader.json", "cases", "name,json,error");
    expect(rows.length).toBeGreaterThan(140);
    for (let i = 0; i < rows.length; i++) expect(errorOf(rows[i][1])).toBe(rows[i][2], rows[i][0]);
  });

  test("half of a surrogate pair in the text is rejected", () => {
    expect(errorOf('"a' + String.fromCharCode(0xd83d) + '"')).toBe("half of a surrogate pair at line 1, column 3");
    expect(errorOf('"' + String.fromCharCode(0xde00) + '"')).toBe("half of a surrogate pair at line 1, column 2");
    expect(errorOf(String.fromCharCode(0xd83d))).toBe("half of a surrogate pair at line 1, column 1");
  });

  test("any cut or one-character change of a document gives a tree or an error", () => {
    const text = '{"a":[-1.5e+3,"\\ud83d\\ude00\\n",true,null],"b":{"c":false}}';
    for (let i = 0; i < text.length; i++) {
      expect(errorOf(text.substring(0, i))).not.toBe("");
      for (let unit = 0; unit < 0x80; unit++) {
        const changed = text.substring(0, i) + String.fromCharCode(unit) + text.substring(i + 1);
        const reading = readJson(changed);
        expect(reading.root === null).toBe(reading.message.length > 0, changed);
      }
    }
  });

  test("the tree has every value, in the order of the text", () => {
    const root = readJson('{"b":[1,"x",null,true,false],"a":{},"b":2.50}').root!;
    expect(root.kind).toBe(JSON_OBJECT);
    expect(root.names.join(" ")).toBe("b a b");
    const list = root.items[0];
    expect(list.kind).toBe(JSON_ARRAY);
    expect(list.items.length).toBe(5);
    expect(list.items[0].kind).toBe(JSON_NUMBER);
    expect(list.items[1].kind).toBe(JSON_STRING);
    expect(list.items[2].kind).toBe(JSON_NULL);
    expect(list.items[3].kind).toBe(JSON_TRUE);
    expect(list.items[4].kind).toBe(JSON_FALSE);
    expect(root.items[1].names.length).toBe(0);
    expect(root.items[2].text).toBe("2.50");
  });

  test("escapes become the characters that they stand for", () => {
    expect(stringIn('"a\\"b\\\\c\\/d"')).toBe('a"b\\c/d');
    expect(stringIn('"\\b\\f\\n\\r\\t"')).toBe("\b\f\n\r\t");
    expect(stringIn('"\\u0041\\u00e9\\u20AC"')).toBe("Aé€");
    expect(stringIn('"\\ud83d\\ude00"')).toBe("😀");
    expect(stringIn('"\\u0000"').length).toBe(1);
    expect(stringIn('""')).toBe("");
  });
});

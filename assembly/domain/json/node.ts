// The tree that the JSON reader answers with. It keeps every number as it was written, so nobody rounds it.

export const JSON_NULL: u8 = 0;
export const JSON_FALSE: u8 = 1;
export const JSON_TRUE: u8 = 2;
export const JSON_NUMBER: u8 = 3;
export const JSON_STRING: u8 = 4;
export const JSON_ARRAY: u8 = 5;
export const JSON_OBJECT: u8 = 6;

/** Shared by the nodes that have no children; never written to. */
const NO_NAMES: string[] = [];
const NO_ITEMS: JsonNode[] = [];

/**
 * One value. One class for all kinds: a checked downcast between node classes would trap on a slip.
 * A member of an object is `names[i]` with `items[i]`; names may repeat, in the order of the text.
 */
export class JsonNode {
  /** A string's characters, or a number's source text. Empty for other kinds. */
  text: string = "";
  /** Of an object: its members' names. */
  names: string[] = NO_NAMES;
  /** Of an array or an object: its values. */
  items: JsonNode[] = NO_ITEMS;

  constructor(public kind: u8) {}

  static ofText(kind: u8, text: string): JsonNode {
    const node = new JsonNode(kind);
    node.text = text;
    return node;
  }

  static ofArray(): JsonNode {
    const node = new JsonNode(JSON_ARRAY);
    node.items = [];
    return node;
  }

  static ofObject(): JsonNode {
    const node = new JsonNode(JSON_OBJECT);
    node.names = [];
    node.items = [];
    return node;
  }
}

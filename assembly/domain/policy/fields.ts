// An object of the document while it is validated: each field is asked for once, and what nobody asked for is unknown.
import { JSON_OBJECT, JsonNode } from "../json/node";
import { Violations, memberPath } from "./violations";
import { Field } from "./field";

export class Fields {
  private asked: string[] = [];
  private forbiddenNames: string[] = [];

  /** @param object an object node */
  constructor(
    private object: JsonNode,
    private path: string,
    private violations: Violations,
  ) {}

  /** The root or an array's item as an object; anything else is a violation and has no fields, so null. */
  static of(node: JsonNode, path: string, violations: Violations): Fields | null {
    if (node.kind == JSON_OBJECT) return new Fields(node, path, violations);
    new Field(path, node, true, violations).reject("an object");
    return null;
  }

  required(name: string): Field {
    return this.field(name, true);
  }

  optional(name: string): Field {
    return this.field(name, false);
  }

  /** A field that the format has and that may not stand in this document. */
  forbidden(name: string, message: string): void {
    this.forbiddenNames.push(name);
    if (this.object.names.includes(name)) this.violations.add(memberPath(this.path, name), message);
  }

  /** An optional object within this one; when it is absent or rejected, one without members, so all defaults hold. */
  section(name: string): Fields {
    const field = this.optional(name);
    return new Fields(field.object(), field.path, this.violations);
  }

  /** To be called last. */
  rejectOthers(): void {
    const names = this.object.names;
    for (let i = 0; i < names.length && !this.violations.full; i++) {
      if (this.asked.includes(names[i]) || this.forbiddenNames.includes(names[i])) continue;
      this.violations.add(memberPath(this.path, names[i]), `unknown field, expected one of ${this.asked.join(", ")}`);
    }
  }

  private field(name: string, isRequired: bool): Field {
    this.asked.push(name);
    const names = this.object.names;
    const path = memberPath(this.path, name);
    const first = names.indexOf(name);
    if (first < 0) return new Field(path, null, isRequired, this.violations);
    const field = new Field(path, this.object.items[first], isRequired, this.violations);
    if (names.indexOf(name, first + 1) >= 0) field.violation("stands more than once");
    return field;
  }
}

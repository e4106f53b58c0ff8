// What the OpenAPI document says of an answer: its status, its headers, its body. Held against every answer that a test gets.
import { Ajv2020 } from "ajv/dist/2020.js";
import formats from "ajv-formats";

import { ERRORS } from "../../src/http/errors.js";
import type { ErrorBody } from "../../src/http/errors.js";

interface Media {
  readonly schema: object;
  readonly example?: unknown;
  readonly examples?: Readonly<Record<string, object>>;
}
interface Header {
  readonly required?: boolean;
  readonly schema: { readonly type: string };
}
interface Response {
  readonly description: string;
  readonly headers: Readonly<Record<string, Header | Reference>>;
  readonly content?: Readonly<Record<string, Media>>;
}
interface Reference {
  readonly $ref: string;
}
export interface Parameter {
  readonly name: string;
  readonly in: "path" | "query" | "header";
  readonly required: boolean;
  readonly description: string;
  readonly schema: { readonly type: string };
  readonly example?: string | number;
}
export interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly tags: readonly string[];
  readonly security: readonly Readonly<Record<string, readonly string[]>>[];
  readonly parameters: readonly (Parameter | Reference)[];
  readonly requestBody?: { readonly content: Readonly<Record<string, Media>> };
  readonly responses: Readonly<Record<string, Response>>;
}
export interface OpenApiDocument {
  readonly openapi: string;
  readonly tags: readonly { readonly name: string; readonly description: string }[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

export interface AnswerOfTest {
  readonly status: number;
  readonly headers: Headers;
  readonly body: unknown;
}

/** Answers of the API that no operation has. */
const UNROUTED = ["ROUTE_NOT_FOUND", "METHOD_NOT_ALLOWED"];
const DOCUMENT = "http://document/";
const pointer = (...parts: readonly string[]): string =>
  `${DOCUMENT}#/${parts.map((part) => encodeURIComponent(part.replaceAll("~", "~0").replaceAll("/", "~1"))).join("/")}`;

export class DescribedAnswers {
  private readonly ajv = new Ajv2020({ strict: true, allErrors: true });
  private readonly routes: readonly { method: string; path: string; pattern: RegExp }[];

  constructor(readonly document: OpenApiDocument) {
    formats.default(this.ajv);
    // The fields of the document itself; in the schemas below them the validator stays strict.
    this.ajv.addVocabulary(Object.keys(document));
    this.ajv.addSchema(document, DOCUMENT);
    this.routes = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => ({
        ...{ method, path },
        pattern: new RegExp(`^${path.replace(/\{\w+\}/g, "[^/]+")}$`),
      })),
    );
  }

  /** What is wrong with it; empty: nothing, or the document is not about it. */
  violations(method: string, url: string, answer: AnswerOfTest): string[] {
    const [path = ""] = url.split("?");
    if (!/^\/(v1|edge)\//.test(path) || method === "HEAD") return [];
    const route = this.routes.find((one) => one.method === method.toLowerCase() && one.pattern.test(path));
    const code = answer.status < 400 ? undefined : (answer.body as ErrorBody).error.code;
    if (route === undefined) return UNROUTED.includes(code ?? "") ? [] : [`no operation: ${method} ${path}`];
    const responses = this.document.paths[route.path]?.[route.method]?.responses ?? {};
    const status = String(answer.status);
    const isDefault = code !== undefined && responses.default?.description.split(", ").includes(code) === true;
    const key = isDefault ? "default" : status;
    const response = responses[key];
    if (response === undefined) return [`${method} ${route.path} has no ${status}`];
    const at = ["paths", route.path, route.method, "responses", key];
    const said = `${method} ${route.path} ${status}`;
    return [
      ...this.codeViolations(response, answer.status, code),
      ...this.headerViolations(response, answer.headers),
      ...this.bodyViolations(response, at, answer.body),
    ].map((violation) => `${said}: ${violation}`);
  }

  /** What `$ref` names. */
  resolved<Value extends object>(value: Value | Reference): Value {
    if (!("$ref" in value)) return value;
    const [, kind = "", name = ""] = /^#\/components\/(\w+)\/(.+)$/.exec(value.$ref) ?? [];
    return this.document.components[kind]?.[name] as Value;
  }

  /** What is wrong with a value by the schema at a place of the document. */
  bodyErrors(body: unknown, ...at: readonly string[]): string[] {
    const ref = pointer(...at);
    const validate = this.ajv.getSchema(ref) ?? this.ajv.compile({ $ref: ref });
    return validate(body) ? [] : [this.ajv.errorsText(validate.errors)];
  }

  private codeViolations({ description }: Response, status: number, code: string | undefined): string[] {
    if (code === undefined) return [];
    const isNamed = description.split(", ").includes(code);
    return isNamed && ERRORS[code as keyof typeof ERRORS].status === status ? [] : [`${code} is not named`];
  }

  private headerViolations({ headers }: Response, sent: Headers): string[] {
    return Object.entries(headers).flatMap(([name, described]) => {
      const { required = false, schema } = this.resolved<Header>(described);
      const value = sent.get(name);
      if (value === null) return required ? [`${name} is missing`] : [];
      const read = schema.type === "integer" ? Number(value) : value;
      const validate = this.ajv.compile(schema);
      return validate(read) ? [] : [`${name} ${this.ajv.errorsText(validate.errors)}`];
    });
  }

  private bodyViolations({ content }: Response, at: readonly string[], body: unknown): string[] {
    if (content === undefined) return body === undefined ? [] : ["has a body"];
    return this.bodyErrors(body, ...at, "content", "application/json", "schema");
  }
}

// Sends what the OpenAPI document gives as an example of a request, and says whether an answer looks like one of an answer.
import type { Answer, TestControlPlane } from "./control-plane.js";
import { DescribedAnswers } from "./described-answers.js";
import type { OpenApiDocument, Operation, Parameter } from "./described-answers.js";

export interface Described extends Operation {
  readonly method: string;
  readonly path: string;
}

/** What a request has instead of the example's. */
export interface Changes {
  readonly id?: string;
  /** Parameters of the query and of headers that are not required: all by default none. */
  readonly optional?: "all" | "none" | readonly string[];
  readonly query?: string;
  readonly body?: unknown;
  readonly credential?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Objects whose keys are data. */
const RECORDS = ["details", "granted", "levels", "outstanding", "running"];

export class DocumentExamples {
  readonly operations: readonly Described[];
  private readonly described: DescribedAnswers;

  /** @param real what stands in an example to what is to be sent for it */
  constructor(
    private readonly plane: Pick<TestControlPlane, "call">,
    document: OpenApiDocument,
    private readonly credentials: Readonly<Record<string, string>>,
    readonly real = new Map<string, string>(),
  ) {
    this.described = new DescribedAnswers(document);
    this.operations = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => ({ ...operation, method: method.toUpperCase(), path })),
    );
  }

  static async of(plane: TestControlPlane, credentials: Readonly<Record<string, string>>): Promise<DocumentExamples> {
    const document = (await plane.call("GET", "/openapi.json")).body as OpenApiDocument;
    return new DocumentExamples(plane, document, credentials);
  }

  operation(operationId: string): Described {
    const found = this.operations.find((one) => one.operationId === operationId);
    if (found === undefined) throw new Error(`no operation ${operationId}`);
    return found;
  }

  parametersOf(operation: Operation, place: Parameter["in"]): Parameter[] {
    return operation.parameters.map((one) => this.described.resolved<Parameter>(one)).filter((one) => one.in === place);
  }

  /** The example of its body; undefined where it takes none. */
  bodyOf(operation: Operation): unknown {
    const example = operation.requestBody?.content["application/json"]?.example;
    return example === undefined ? undefined : (JSON.parse(this.replaced(JSON.stringify(example))) as unknown);
  }

  /** Its first credential, which is the one that may do most. */
  credentialOf({ security }: Operation): string {
    return this.credentials[Object.keys(security[0] ?? {})[0] ?? ""] ?? "";
  }

  async send(operationId: string, changes: Changes = {}): Promise<Answer> {
    const operation = this.operation(operationId);
    const { id, optional = "none", credential = this.credentialOf(operation) } = changes;
    const wanted = ({ name, required, example }: Parameter): boolean =>
      required || (optional === "all" && example !== undefined) || (optional !== "none" && optional.includes(name));
    const given = (place: Parameter["in"]): [string, string][] =>
      this.parametersOf(operation, place)
        .filter(wanted)
        .map(({ name, example }) => [name, this.replaced(String(example))]);
    let path = operation.path;
    for (const [name, value] of given("path")) path = path.replace(`{${name}}`, id ?? value);
    const query = changes.query ?? new URLSearchParams(given("query")).toString();
    const headers = { ...Object.fromEntries(given("header")), ...changes.headers };
    const body = "body" in changes ? changes.body : this.bodyOf(operation);
    return this.plane.call(operation.method, query === "" ? path : `${path}?${query}`, body, credential, headers);
  }

  /** The examples of an operation's answer. */
  answersOf(operationId: string, status: string): unknown[] {
    const media = this.operation(operationId).responses[status]?.content?.["application/json"];
    const several = Object.values(media?.examples ?? {}).map((one) =>
      this.described.resolved<{ value: unknown }>(one as { value: unknown }),
    );
    return media?.example === undefined ? several.map(({ value }) => value) : [media.example];
  }

  private replaced(text: string): string {
    let sent = text;
    for (const [example, value] of this.real) sent = sent.replaceAll(example, value);
    return sent;
  }
}

/** Where two values differ in the kinds and the keys of what is in them; null is of any kind. */
export function differences(example: unknown, real: unknown, at = ""): string[] {
  if (example === null || real === null) return [];
  if (Array.isArray(example) && Array.isArray(real)) {
    return example.length === 0 || real.length === 0 ? [] : differences(example[0], real[0], `${at}[0]`);
  }
  if (typeof example !== "object" || typeof real !== "object") {
    return typeof example === typeof real ? [] : [`${at}: ${typeof example}, ${typeof real}`];
  }
  const [ours, theirs] = [example as Record<string, unknown>, real as Record<string, unknown>];
  if (RECORDS.some((name) => at.endsWith(`.${name}`))) return [];
  return [...new Set([...Object.keys(ours), ...Object.keys(theirs)])].flatMap((key) => {
    if (!(key in ours)) return [`${at}.${key} is in no example`];
    return key in theirs
      ? differences(ours[key], theirs[key], `${at}.${key}`)
      : [`${at}.${key} is only in the example`];
  });
}

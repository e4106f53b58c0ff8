// Policies that a test publishes one after another, in the policy service's place.
import type { PolicyPublisher, PublishedPolicy } from "../../src/app/policy-ports.js";

export class TestPolicies implements PolicyPublisher {
  private readonly listeners = new Set<() => void>();
  private generation = 1;

  /** @param fields what is pushed beside the generation and the revision */
  constructor(private fields: object = {}) {}

  published(): PublishedPolicy {
    const { generation, fields } = this;
    return { generation, pushedJson: (revision) => JSON.stringify({ ...fields, generation, revision }) };
  }
  subscribe(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }
  /** The next generation, with other fields where they are given. */
  publish(fields = this.fields): void {
    this.generation++;
    this.fields = fields;
    for (const listener of this.listeners) listener();
  }
}

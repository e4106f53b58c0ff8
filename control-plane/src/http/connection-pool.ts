// Connections of one kind in the order in which they came, in all and by network; and which of them gives way.
import type { Socket } from "node:net";

export interface Open {
  /** Of the caller, with its port. */
  readonly name: string;
  /** As the listener accepted it; with TLS, beneath that. */
  readonly socket: Socket;
  readonly network: string;
  /** Monotonic. */
  readonly sinceMs: number;
}

/** By name; the oldest is the first. */
type Those = Map<string, Open>;

export class ConnectionPool {
  private readonly all: Those = new Map();
  private readonly byNetwork = new Map<string, Those>();

  get size(): number {
    return this.all.size;
  }

  get(name: string): Open | undefined {
    return this.all.get(name);
  }

  add(one: Open): void {
    // A caller that comes again from the same port is a new one, not the oldest.
    const former = this.all.get(one.name);
    if (former !== undefined) this.remove(former);
    this.all.set(one.name, one);
    const those: Those = this.byNetwork.get(one.network) ?? new Map<string, Open>();
    this.byNetwork.set(one.network, those.set(one.name, one));
  }

  remove({ name, network }: Open): void {
    this.all.delete(name);
    const those = this.byNetwork.get(network);
    those?.delete(name);
    if (those?.size === 0) this.byNetwork.delete(network);
  }

  countOf(network: string): number {
    return this.byNetwork.get(network)?.size ?? 0;
  }

  oldestOf(network: string): Open | undefined {
    return first(this.byNetwork.get(network));
  }

  /**
   * The oldest of the network that has most of them, if that has as many as one may have; else the oldest of all. So one
   * network's flood is at nobody's cost but its own. During one from everywhere, the many that connect from one address
   * behind a balancer give way first.
   */
  nextToGo(perNetwork: number): Open | undefined {
    let crowd: Those | undefined;
    for (const those of this.byNetwork.values()) {
      if (those.size >= Math.max(perNetwork, (crowd?.size ?? 0) + 1)) crowd = those;
    }
    return first(crowd ?? this.all);
  }
}

function first(those: Those | undefined): Open | undefined {
  const [one] = those?.values() ?? [];
  return one;
}

// Which requests something is done for, carried along by Node wherever their work goes on.
import { AsyncLocalStorage } from "node:async_hooks";

import { idsOf } from "../app/ports/tracing-ports.js";
import type { FollowedRequest, RequestIds, Requests } from "../app/ports/tracing-ports.js";

const NOBODY: readonly FollowedRequest[] = [];

export class RequestScopes implements Requests {
  private readonly scopes = new AsyncLocalStorage<readonly FollowedRequest[]>();

  run<Result>(requests: readonly FollowedRequest[], work: () => Result): Result {
    return this.scopes.run(requests, work);
  }

  current(): readonly FollowedRequest[] {
    const requests = this.scopes.getStore() ?? NOBODY;
    return requests.some(({ isOver }) => isOver) ? requests.filter(({ isOver }) => !isOver) : requests;
  }

  /** Undefined where nothing, or something for several at once, is done. */
  ids(): RequestIds | undefined {
    const [request, ...others] = this.current();
    return request === undefined || others.length > 0 ? undefined : idsOf(request);
  }
}

// A command of a session's life: it does one thing to the control plane and to the model and compares the answers; and
// after each everything that can be seen is compared, while an edge watches: where there are two control planes, at the other one.
import type fc from "fast-check";

import { expectAsModel, expectFollowed, follow } from "./session-life-model-checks.js";
import type { SessionLifeModel } from "./session-life-model.js";
import type { SessionLife } from "./session-life.js";

export type Command = fc.AsyncCommand<SessionLifeModel, SessionLife>;

export function command<Said>(
  name: string,
  said: fc.Arbitrary<Said>,
  act: (said: Said, model: SessionLifeModel, life: SessionLife) => Promise<void>,
): fc.Arbitrary<Command> {
  return said.map((one) => ({
    check: () => true,
    run: async (model, life) => {
      const held = await follow(model, life);
      life.turn();
      await act(one, model, life);
      await expectFollowed(model, life, held);
      await expectAsModel(model, life);
    },
    toString: () => `${name}(${JSON.stringify(one)})`,
  }));
}

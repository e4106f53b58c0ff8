// Timers of Node, of every program here.
import type { Timers } from "../app/ports/log-ports.js";

export const nodeTimers: Timers = {
  after: (ms, call) => {
    const timer = setTimeout(call, ms);
    return () => {
      clearTimeout(timer);
    };
  },
};

// How often the sentinels of the tests look. By themselves it is each second or each ten: a test would wait for that.

const OFTEN = { ping: 400, ask: 50, info: 100, publish: 100, election: 500 };

/** In ms. A replica that has said nothing for five of `ping` is not made the primary. */
const PERIODS = {
  often: OFTEN,
  // A replica that was told to be the primary by one of them is told to be none by another after four of these.
  patiently: { ...OFTEN, publish: 2000 },
  // A failover takes as long as an operator sees it take.
  byThemselves: { ping: 1000, ask: 1000, info: 10_000, publish: 2000, election: 10_000 },
};

export type Looks = keyof typeof PERIODS;

/** As SENTINEL DEBUG takes them. */
export function lookWords(how: Looks): string[] {
  const { ping, ask, info, publish, election } = PERIODS[how];
  const periods = { "ping-period": ping, "ask-period": ask, "info-period": info, "publish-period": publish };
  return Object.entries({ ...periods, "election-timeout": election }).flatMap(([name, ms]) => [name, String(ms)]);
}

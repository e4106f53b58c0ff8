// A limit as the programs use it: one bucket. A plan is one, and has further ones; a route says what they cost.
import { Choice } from "./choice";

/** Every request that is not exempt spends from it. */
export const APPLIES_ALWAYS: u8 = 0;
/** Only requests of routes that name it do. */
export const APPLIES_ROUTES: u8 = 1;
export const APPLIES: Choice = new Choice(["always", "routes"]);

/** One bucket: what it holds, and how it fills. It gains `ratePico` ÷ `rateUs` picotokens a microsecond, reduced. */
export class Limit {
  name: string = "";
  /** Bucket capacity, whole tokens. */
  maxTokens: u32 = 0;
  /** For a `tokenRefillRate`, its microtokens a second: as many picotokens a microsecond. */
  ratePico: u64 = 0;
  /** 1 for a `tokenRefillRate`; else up to 53,946, as of 10,000 tokens in 999 days. */
  rateUs: u32 = 1;
  /** `10000/1d`, where the document says so; empty where it says `tokenRefillRate`. */
  refill: string = "";
  /** APPLIES_…; a plan's own bucket applies always. */
  applies: u8 = APPLIES_ALWAYS;
  /** Of a further limit: the index of its name in `Policy.limitNames`. */
  nameId: u32 = 0;
}

/** Shared by the plans that have none; never written to. */
export const NO_LIMITS: Limit[] = [];

/** What a route's requests spend from the limits of one name, whichever plan has one. */
export class RouteLimit {
  constructor(
    public name: string,
    /** Of the name, in `Policy.limitNames`. */
    public nameId: u32,
    /** Tokens; not used where `takesRouteCost`. */
    public cost: u32,
    /** The document says `null`: the limit is charged what the route costs. */
    public takesRouteCost: bool,
  ) {}
}

/** Shared by the routes that name none; never written to. */
export const NO_ROUTE_LIMITS: RouteLimit[] = [];

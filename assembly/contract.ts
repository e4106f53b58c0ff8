// What the filter and the control plane must agree on. asc and tsc both compile this file, so it holds typed
// literals only: no expressions (integer overflow differs), no imports, no decorators.

// --- Session token: 36 bytes, sent as 48 base64url characters (docs/session-token.md) ---------------------------
//
//   0         1        2            18        20          36
//   | version | key id | session id | plan id | tag 16 B  |

export const TOKEN_VERSION: u8 = 1;
export const TOKEN_BYTES: u32 = 36;
/** 36 bytes are a multiple of 3, so every token has exactly one spelling: no padding, no unused bits. */
export const TOKEN_CHARS: u32 = 48;
export const TOKEN_KEY_ID_AT: u32 = 1;
export const TOKEN_SESSION_ID_AT: u32 = 2;
export const SESSION_ID_BYTES: u32 = 16;
export const TOKEN_PLAN_ID_AT: u32 = 18;
/** The tag signs every byte before it. */
export const TOKEN_TAG_AT: u32 = 20;
/** First half of an HMAC-SHA-256: 128 bits, beyond guessing over a network. */
export const TAG_BYTES: u32 = 16;

/** As many as the hash gives: a shorter secret would be the weakest part. */
export const MIN_SECRET_BYTES: u32 = 32;
/** More than anyone needs; both programs reject a longer secret, so neither accepts what the other would not. */
export const MAX_SECRET_BYTES: u32 = 256;
/** The text that the secret signs for each derived key. A new use gets a new label. */
export const LABEL_TOKEN_KEY: string = "sluice/token-key/v1";
export const LABEL_KEY_ID: string = "sluice/key-id/v1";
export const LABEL_EDGE_CREDENTIAL: string = "sluice/edge/v1";
export const LABEL_SET_HASH: string = "sluice/mixer/v1";
export const ENV_SECRET: string = "SLUICE_SECRET";
export const ENV_SECRET_ALSO: string = "SLUICE_SECRET_ALSO";

// --- Session table (docs/session-table.md) ----------------------------------------------------------------------

/** Part of every key: another layout uses other keys, so two versions never read each other's bytes. */
export const TABLE_LAYOUT_VERSION: u8 = 2;
/** 16 slots of 80 bytes are one shared-data value; measured to cost the host no more than one slot. */
export const RECORDS_PER_SET: u32 = 16;
export const RECORD_BYTES: u32 = 80;
export const SET_BYTES: u32 = 1280;
export const MIN_TABLE_CAPACITY: u32 = 1024;
export const MAX_TABLE_CAPACITY: u32 = 4194304;

export const RECORD_TOKEN_AT: u32 = 0;
export const RECORD_REV_AT: u32 = 36;
export const RECORD_LEVEL_AT: u32 = 40;
export const RECORD_REFILLED_AT_AT: u32 = 48;
export const RECORD_CONSUMED_AT: u32 = 56;
export const RECORD_ENDS_AT_AT: u32 = 64;
export const RECORD_PLAN_ID_AT: u32 = 68;
export const RECORD_STATE_AT: u32 = 70;
export const RECORD_FLAGS_AT: u32 = 71;
export const RECORD_ACKED_REV_AT: u32 = 72;
/** Of the level: what is left over of a picotoken, in parts of the rate's denominator. */
export const RECORD_REMAINDER_AT: u32 = 76;
/** The slot of its annex and one more; 0: it has none. */
export const RECORD_ANNEX_AT: u32 = 78;

export const RECORD_EMPTY: u8 = 0;
export const RECORD_LIVE: u8 = 1;
export const RECORD_ENDED: u8 = 2;
/** Not a record, but an annex: the levels of the further limits of a record in the same set. */
export const RECORD_ANNEX: u8 = 3;

/** i64 × MAX_LIMITS_OF_PLAN. */
export const ANNEX_LEVELS_AT: u32 = 0;
/** u16 × MAX_LIMITS_OF_PLAN; under fleet scope other fields stand here. */
export const ANNEX_REMAINDERS_AT: u32 = 56;
/** Of scope fleet, where remainders stand else: u32, the last ask. */
export const ANNEX_ASK_AT: u32 = 56;
/** ms, monotonic, modular: until then what was refused is not asked for again. */
export const ANNEX_RETRY_AT_AT: u32 = 60;
/** u16, ms, monotonic, modular. */
export const ANNEX_ASKED_AT_AT: u32 = 64;
/** u16, whole tokens; more than it holds stands as the most. */
export const ANNEX_REFUSED_COST_AT: u32 = 66;
/** The bucket's number and one more; 0: nothing is refused. */
export const ANNEX_REFUSED_BUCKET_AT: u32 = 68;
/** 0: the last ask's answer was taken; k: that of the k-th before it was the last. 255 stands for more. */
export const ANNEX_PENDING_AT: u32 = 69;
/** Where a record has its state, since one scan reads both. */
export const ANNEX_STATE_AT: u32 = 70;
export const ANNEX_RECORD_AT: u32 = 71;
export const ANNEX_TAG_AT: u32 = 72;
/** ms, monotonic, modular: fleet scope. */
export const ANNEX_LEASE_END_AT: u32 = 76;

export const FLAG_PROVISIONAL: u8 = 1;
export const FLAG_REFRESH: u8 = 2;
export const FLAG_BUDGET_SPENT: u8 = 4;
export const FLAG_UNCONFIRMED: u8 = 8;
/** Its annex was made without the control plane: the levels are no figures to report, and an answer lowers them. */
export const FLAG_LIMITS_UNCONFIRMED: u8 = 16;

/** Levels are whole picotokens: a rate in microtokens/s times microseconds, so refill never rounds. */
export const PICO_PER_TOKEN: i64 = 1000000000000;
export const PICO_PER_MICROTOKEN: i64 = 1000000;
export const MICROTOKENS_PER_TOKEN: i64 = 1000000;

// --- Limits of the policy (docs/policy.md) ----------------------------------------------------------------------

export const POLICY_VERSION: u32 = 1;
/** Of the edge settings, the plugin configuration in Envoy. */
export const SETTINGS_VERSION: u32 = 1;
/** What the filter says of itself. A test holds it equal to package.json. */
export const FILTER_VERSION: string = "0.1.0";
/** 9e6 tokens are 9e18 picotokens, just below 2^63. */
export const MAX_TOKENS: u32 = 9000000;
export const MAX_REFILL_RATE: u32 = 1000000;
export const REFILL_RATE_DECIMALS: u32 = 6;
export const MAX_PLANS: u32 = 1000;
/** Of a plan, beside its own bucket: they lie in one annex of the session's record. */
export const MAX_LIMITS_OF_PLAN: i32 = 7;
/** Tokens in 1 to so many seconds, minutes, hours or days. */
export const MAX_REFILL_UNITS: u32 = 1000;
/** That a route names: those of several plans. */
export const MAX_LIMITS_OF_ROUTE: i32 = 64;
/** In all routes, however often one stands there: reading 64,000 would take 150 MB of each worker's memory. */
export const MAX_LIMITS_OF_ROUTES: i32 = 4096;
/** Of what a settled value is multiplied with. */
export const MAX_SETTLE_TIMES: u32 = 1000000;
/** Of a route's JSON Pointer (RFC 6901), and of the reference tokens in it. */
export const MAX_POINTER_CHARS: i32 = 256;
export const MAX_POINTER_TOKENS: i32 = 16;
export const MAX_PLAN_ID: u32 = 65535;
export const MAX_NAME_CHARS: u32 = 32;
/** 10 years of 365 days; as seconds it fits a record's u32. */
export const MAX_DURATION_MS: u64 = 315360000000;
/** A session may miss reports for a while before it counts as idle. */
export const MIN_MAX_AGE_IN_REPORT_INTERVALS: u32 = 4;
/** 2^53 - 1: the largest integer that JSON carries exactly between all programs. */
export const MAX_SAFE_INTEGER: u64 = 9007199254740991;
export const MAX_VIOLATIONS: u32 = 100;
/** Below ANSWER_VALID_MS: what is left of that is the longest that a session is queued before its call. */
export const MAX_ACQUIRE_TIMEOUT_MS: u64 = 4000;
export const MAX_ROUTES: i32 = 1000;
/** Of a route's path, prefix or template. */
export const MAX_ROUTE_PATH_CHARS: i32 = 1024;
/** So deep a request's path is looked at, and so many nodes a route adds to what is searched. */
export const MAX_ROUTE_SEGMENTS: i32 = 32;
/** Different ones in all routes: each has a bit of a u32, and one bit stands for any other. */
export const MAX_ROUTE_METHODS: i32 = 31;
export const MAX_METHOD_CHARS: i32 = 32;
/** Of one route. */
export const MAX_ROUTE_HOSTS: i32 = 64;
/** In all routes, however often one stands there: reading 64,000 would take 150 MB of each worker's memory. */
export const MAX_HOSTS_OF_ROUTES: i32 = 4096;
/** Of a host name (RFC 1035). A request's longer one matches no route that names hosts. */
export const MAX_HOST_CHARS: i32 = 253;
/** Conditions of one route. */
export const MAX_ROUTE_HEADERS: i32 = 8;
/** Different names in all routes: a request reads each once at most. */
export const MAX_ROUTE_HEADER_NAMES: i32 = 16;
/** Of a condition. A request's longer value is present, and equal to none. */
export const MAX_ROUTE_HEADER_CHARS: i32 = 256;
/**
 * Of a request's path with its query, and of its host: a longer one matches no route that names one. Above the 60 KiB that
 * Envoy's request headers have by default; a smaller bound could be passed with a long query.
 */
export const MAX_MATCHED_BYTES: u32 = 65536;
/** Far above 1,000 plans; a document beyond it is a mistake, and must not take the guest's memory. */
export const MAX_POLICY_BYTES: u32 = 1048576;
/** Edge settings carry a whole policy, indented one step further, beside some 500 bytes of their own: 64 KiB more. */
export const MAX_SETTINGS_BYTES: u32 = 1114112;

// --- Answers to a client (docs/policy.md) -----------------------------------------------------------------------

export const CODE_MISSING_SESSION: string = "MISSING_SESSION";
export const CODE_INVALID_SESSION: string = "INVALID_SESSION";
export const CODE_RATE_LIMIT_EXCEEDED: string = "RATE_LIMIT_EXCEEDED";
export const CODE_LIMITER_UNAVAILABLE: string = "LIMITER_UNAVAILABLE";
export const MESSAGE_MISSING_SESSION: string = "Session ID is required";
export const MESSAGE_INVALID_SESSION: string = "Session is invalid or expired";
export const MESSAGE_RATE_LIMIT_EXCEEDED: string = "Rate limit exceeded for session";
export const MESSAGE_BUDGET_SPENT: string = "Token budget of the session is spent";
export const MESSAGE_LIMITER_UNAVAILABLE: string = "Rate limiter is unavailable";
export const MESSAGE_LIMITER_BUSY: string = "Rate limiter is busy";
export const MESSAGE_NO_POLICY: string = "Rate limiter has no policy yet";

// --- Edge protocol (docs/edge-protocol.md) ----------------------------------------------------------------------

export const PATH_ACQUIRE: string = "/edge/v1/acquire";
export const PATH_REPORT: string = "/edge/v1/report";
export const PATH_WATCH: string = "/edge/v1/watch";
export const PATH_LEASE: string = "/edge/v1/lease";
export const STATE_LIVE: string = "live";
export const STATE_REVOKED: string = "revoked";
export const STATE_EXPIRED: string = "expired";
export const STATE_UNKNOWN: string = "unknown";
/** Of a session that is not over as far as is known, while the store takes no writes: as no answer at all. */
export const STATE_UNAVAILABLE: string = "unavailable";
/** Sessions of one acquire: at 64 to 600 bytes each a call stays below MAX_EDGE_BODY_BYTES. */
export const MAX_ACQUIRE_SESSIONS: u32 = 64;
/** What an unknown session answers as its end: the one ended state that may still become live, so it is short. */
export const UNKNOWN_REMEMBERED_MS: u32 = 5000;
/** Of a call's body. */
export const MAX_EDGE_BODY_BYTES: u32 = 65536;
/** Of the answer to an acquire: some 300 bytes a session, and up to 850 more where it has levels by name. */
export const MAX_ACQUIRE_ANSWER_BYTES: u32 = 131072;
/** Of an answer's body: a policy is the largest. Neither side reads a longer one. */
export const MAX_EDGE_ANSWER_BYTES: u32 = 1048576;
/** On each call: a call with a wrong credential can be logged by its edge's name, without a look at its body. */
export const HEADER_EDGE: string = "x-sluice-edge";
/** With a policy, whose bytes are the whole body of the answer to a watch: what it is. */
export const HEADER_LOG: string = "x-sluice-log";
export const HEADER_GENERATION: string = "x-sluice-policy-generation";
export const HEADER_POLICY_HASH: string = "x-sluice-policy-hash";
/** Over how many ms an edge's workers spread the reports that say that they run it. */
export const HEADER_REPORT_SPREAD: string = "x-sluice-report-spread-ms";
/** What became of a policy at an edge. */
export const POLICY_OFFERED: string = "offered";
export const POLICY_TRYING: string = "trying";
export const POLICY_OK: string = "ok";
export const POLICY_REJECTED: string = "rejected";
export const POLICY_TRAPPED: string = "trapped";
/** Where the policy that a worker runs comes from. */
export const SOURCE_NONE: string = "none";
export const SOURCE_SETTINGS: string = "settings";
export const SOURCE_CONTROL_PLANE: string = "control-plane";
/** The reasons for a rejection, as JSON: what a person reads of them, and what a watch has room for. */
export const MAX_VIOLATIONS_BYTES: u32 = 4096;
/** A VM that tries a policy and has not finished after this time has trapped. The largest policy takes a fraction of it. */
export const TRY_DEADLINE_MS: u32 = 1000;
/** While a VM has no policy, its requests are held until it is so old: longer than a control plane that runs takes to
 * answer, shorter than a client waits. */
export const NO_POLICY_HOLD_MS: u32 = 2000;
/** 64 random bits in hex name one life of an edge's table. */
export const INSTANCE_CHARS: u32 = 16;
/** Above what Istio makes of a pod and a namespace whose names are as long as they may be. */
export const MAX_EDGE_NAME_BYTES: u32 = 256;
/** 64 bits in hex name one history of the control plane's invalidation log. */
export const LOG_CHARS: u32 = 16;
/** Rows of one report: at about 110 bytes each they stay below MAX_EDGE_BODY_BYTES. */
export const MAX_REPORT_ROWS: u32 = 512;
/** What a report says of the counters of its VM: some 150 of them, and the rows keep their room. */
export const MAX_REPORT_COUNTERS_BYTES: u32 = 8192;
/** Sessions that one answer to a watch names; more come with the next. */
export const MAX_WATCH_ENTRIES: u32 = 1000;
/** How long the control plane holds a watch with nothing to say: below the idle timeouts of common proxies. */
export const WATCH_HOLD_MS: u32 = 20000;
/** The filter waits longer than the hold, so that only a dead connection runs into it. */
export const WATCH_TIMEOUT_MS: u32 = 25000;
/** 64 bits of SHA-256 over the bytes of a policy, in hex: which one an edge runs. */
export const POLICY_HASH_CHARS: u32 = 16;
/** Ticks of every VM; the work of each is bounded. */
export const TICK_MS: u32 = 100;
/** One round of the leader's sweep over its whole table takes this many ticks: 10 s. */
export const SWEEP_ROUND_TICKS: u32 = 100;
/**
 * An acquire's answer may make a record until this time after the read that led to it, and a record may be evicted only
 * after it was idle for this time. Both must be one number: then no worker has spent from an evicted record while an
 * answer that would bring it back was under way, whatever policy the worker runs.
 */
export const ANSWER_VALID_MS: u32 = 5000;
/**
 * Streams that a VM can keep with their sessions, so that they end with them: a power of two. Four times the 1,000
 * long ones that a worker may well have, in 300 KB of its memory; what is over in a second needs no more.
 */
export const MAX_OPEN_STREAMS: u32 = 4096;
/** Of them, those of one session: a quarter, so that no token by itself leaves more than few others without. */
export const MAX_OPEN_STREAMS_OF_SESSION: u32 = 1024;
/** Tokens that one request may turn out to have cost: a larger value is none. Far above what any bucket holds. */
export const MAX_SETTLED_COST: u64 = 4294967295;
/** Streams of one VM whose response says what their request cost. A power of two, and with one more a u16. */
export const MAX_SETTLE_NOTES: u32 = 4096;
/** Of them, those of one session: a quarter, so that no token by itself keeps the others from settling. */
export const MAX_SETTLE_NOTES_OF_SESSION: u32 = 1024;
// Leases: what an edge may spend of a session's fleet budget (docs/edge-protocol.md, lease).
/** Of a plan: each edge has buckets of its own, or all edges have one budget. */
export const SCOPE_EDGE: u8 = 0;
export const SCOPE_FLEET: u8 = 1;
/** An edge counts it from when it asked. Long enough for a call that is lost and sent again. */
export const LEASE_TTL_MS: u32 = 2000;
/**
 * The control plane counts what is left of a lease as spent so much later. With the ttl below ANSWER_VALID_MS: an evicted
 * record has no lease that lives.
 */
export const LEASE_GRACE_MS: u32 = 1000;
/**
 * An acquire of an instance that read its table so long after the one that was given a lease, by its own clock, is another one,
 * and is not given the same once more. Two workers, a lost answer and a client's next try are within; after it, what the
 * first was given could not be spent any more. Far below ANSWER_VALID_MS: the record that took it, and that was spent from, may
 * then be evicted.
 */
export const LEASE_REPEAT_MS: u32 = 2000;
/** Of a budget's refill, what is given out at once to all edges together. */
export const LEASE_SHARE_MS: u32 = 500;
/** An edge does not ask about a session more often. */
export const LEASE_RETRY_MS: u32 = 50;
/** An edge says how much is used there in such a time. */
export const LEASE_WANT_MS: u32 = 1000;
/** Sessions of one call. */
export const MAX_LEASE_ASKS: u32 = 256;
/** Of one session: more instances than spend on one at a time. */
export const MAX_LEASES_OF_SESSION: u32 = 256;
/** Leadership over a table ends by itself after so long without a tick of its holder. */
export const LEADER_LEASE_MS: u32 = 3000;

// The bodies and headers that documentation promises, word for word.
export const INVALID = '{"error":{"code":"INVALID_SESSION","message":"Session is invalid or expired"}}';
export const MISSING = '{"error":{"code":"MISSING_SESSION","message":"Session ID is required"}}';
export const LIMITED = '{"error":{"code":"RATE_LIMIT_EXCEEDED","message":"Rate limit exceeded for session"}}';
export const SPENT = '{"error":{"code":"RATE_LIMIT_EXCEEDED","message":"Token budget of the session is spent"}}';
export const UNAVAILABLE = '{"error":{"code":"LIMITER_UNAVAILABLE","message":"Rate limiter is unavailable"}}';
export const CHALLENGE = 'Session realm="sluice", header="X-Session-ID"';

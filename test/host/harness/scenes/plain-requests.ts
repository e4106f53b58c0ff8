// Requests without a session, for the small filters of test/filters.
export const GET = { ":method": "GET", ":path": "/", ":authority": "a" };
export const at = (path: string): Record<string, string> => ({ ...GET, ":path": path });

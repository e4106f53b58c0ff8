// The floor, and two headers on each response: what any limiter in shared data must pay that shows its limit.
export { proxy_abi_version_0_2_1, proxy_on_memory_allocate, proxy_on_request_headers } from "./bench-floor";
export { proxy_on_response_headers } from "./bench-headers-probe";

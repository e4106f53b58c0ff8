// A bootstrap for an Envoy that follows the xDS server and has no more than that takes.

export const EDGE = "gw-1";

export interface XdsEdgePorts {
  readonly proxy: number;
  readonly admin: number;
  readonly xds: number;
}

const address = (port: number): string => `{ socket_address: { address: 127.0.0.1, port_value: ${port} } }`;

/** Without the default policy's generation 0 it would wait for the server. */
export const xdsBootstrap = ({ proxy, admin, xds }: XdsEdgePorts, filterPath: string): string => `
node: { id: ${EDGE}, cluster: sluice }
admin: { address: ${address(admin)} }
dynamic_resources:
  ads_config:
    api_type: GRPC
    transport_api_version: V3
    grpc_services:
      - envoy_grpc:
          cluster_name: sluice_xds
          retry_policy: { retry_back_off: { base_interval: 0.2s, max_interval: 1s } }
static_resources:
  listeners:
    - address: ${address(proxy)}
      filter_chains:
        - filters:
            - name: envoy.filters.network.http_connection_manager
              typed_config:
                "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
                stat_prefix: ingress
                route_config:
                  virtual_hosts:
                    - { name: all, domains: ["*"], routes: [{ match: { prefix: "/" }, direct_response: { status: 500 } }] }
                http_filters:
                  - name: sluice
                    config_discovery:
                      config_source: { ads: {}, resource_api_version: V3, initial_fetch_timeout: 1s }
                      type_urls: [type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm]
                      apply_default_config_without_warming: true
                      default_config:
                        "@type": type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm
                        config:
                          name: sluice
                          root_id: sluice
                          failure_policy: FAIL_RELOAD
                          vm_config:
                            vm_id: sluice
                            runtime: envoy.wasm.runtime.v8
                            code: { local: { filename: ${filterPath} } }
                            environment_variables: { host_env_keys: [SLUICE_SECRET, SLUICE_SECRET_ALSO] }
                          configuration:
                            "@type": type.googleapis.com/google.protobuf.StringValue
                            value: '{"generation":0}'
                  - name: envoy.filters.http.router
                    typed_config:
                      "@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router
  clusters:
    - name: sluice_xds
      type: STATIC
      load_assignment:
        cluster_name: sluice_xds
        endpoints: [{ lb_endpoints: [{ endpoint: { address: ${address(xds)} } }] }]
      typed_extension_protocol_options:
        envoy.extensions.upstreams.http.v3.HttpProtocolOptions:
          "@type": type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions
          explicit_http_config: { http2_protocol_options: {} }
          http_filters:
            - name: envoy.filters.http.credential_injector
              typed_config:
                "@type": type.googleapis.com/envoy.extensions.filters.http.credential_injector.v3.CredentialInjector
                overwrite: true
                credential:
                  name: envoy.http.injected_credentials.generic
                  typed_config:
                    "@type": type.googleapis.com/envoy.extensions.http.injected_credentials.generic.v3.Generic
                    credential: { name: edge_authorization }
            - name: envoy.filters.http.upstream_codec
              typed_config:
                "@type": type.googleapis.com/envoy.extensions.filters.http.upstream_codec.v3.UpstreamCodec
  secrets:
    - name: edge_authorization
      generic_secret: { secret: { environment_variable: SLUICE_EDGE_AUTHORIZATION } }
`;

# The control plane. The image also carries the filter, the demo service and what prepares the first start of Compose.
FROM node:22-bookworm-slim AS build
WORKDIR /sluice
COPY package.json package-lock.json .npmrc ./
RUN npm ci --include=dev --no-audit --no-fund --loglevel=error
COPY asconfig.json tsconfig.json tsconfig.build.json ./
COPY assembly assembly
COPY control-plane control-plane
COPY scripts scripts
RUN npm run build && node build/js/scripts/image/sbom.js && npm prune --omit=dev --no-audit --no-fund --loglevel=error

FROM node:22-bookworm-slim
# Version and revision are given to the build of a release: docs/release.md.
LABEL org.opencontainers.image.title="sluice" org.opencontainers.image.licenses="Apache-2.0"
LABEL org.opencontainers.image.description="The control plane of Sluice, with its command"
# Room for requests that wait for a commit: scripts/start/control-plane-process.ts says more.
ENV NODE_ENV=production NODE_OPTIONS=--max-semi-space-size=32
# Whoever calls, probes or scrapes comes from outside of the container.
ENV SLUICE_HTTP_HOST=0.0.0.0 SLUICE_STATUS_HOST=0.0.0.0 SLUICE_DATA_DIR=/var/lib/sluice
WORKDIR /sluice
COPY package.json envoy.yaml policy.yaml ./
COPY --from=build /sluice/node_modules node_modules
COPY --from=build /sluice/build build
COPY --from=build /sluice/build/sbom/sluice.cdx.json sbom.cdx.json
COPY control-plane/src/cli/launcher.mjs control-plane/src/cli/launcher.mjs
RUN ln -s /sluice/control-plane/src/cli/launcher.mjs /usr/local/bin/sluice
# A new named volume takes over the owner of the folder it is mounted on.
RUN install -d -o node -g node -m 0700 /var/lib/sluice /run/sluice && install -d -o node -g node /etc/sluice
# The user "node", as a number: Kubernetes' runAsNonRoot believes no name.
USER 1000:1000
EXPOSE 8080 8081
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s CMD ["node", "build/js/control-plane/src/health-check.js"]
CMD ["node", "build/js/control-plane/src/main.js"]

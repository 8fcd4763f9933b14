# One image per service, and `cli`: docker build --target token -t grantlog-token .
# The official image by its name, or one like it of your own.
ARG NODE_IMAGE=docker.io/library/node:24-bookworm-slim

# What the images are made of: /manifests says which packages, /sources are ours.
FROM ${NODE_IMAGE} AS pruned
ENV TURBO_TELEMETRY_DISABLED=1
WORKDIR /repository
COPY package.json .npmrc ./
RUN npm install --global --no-audit --no-fund "turbo@$(node -p 'require("./package.json").devDependencies.turbo')"
COPY . .
RUN turbo prune --production --docker --out-dir /pruned @grantlog/cli \
      @grantlog/clients @grantlog/consent @grantlog/token @grantlog/resource @grantlog/sample-client \
 && mv /pruned/full /sources && cp tsconfig.base.json /sources && mv /pruned/json /manifests
# What only tests need is not there any more: its name would send npm to the registry.
WORKDIR /manifests
RUN npm pkg delete --workspaces devDependencies.@grantlog/testing

# Installs once, builds once: of each service one file, beside which only what is not JavaScript stays a package. No package's script is
# run: they download what is here (Node) or what only tests need.
FROM ${NODE_IMAGE} AS build
SHELL ["/bin/bash", "-euo", "pipefail", "-c"]
ENV TURBO_TELEMETRY_DISABLED=1
WORKDIR /work
COPY --from=pruned /manifests ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY --from=pruned /sources .
RUN npx turbo run build --output-logs=errors-only --no-update-notifier; \
    for image in clients consent token resource sample-client cli; do \
      apps="$image"; if [ "$image" = cli ]; then apps='cli clients consent token resource'; fi; \
      for app in $apps; do \
        mkdir -p "/images/$image/apps/$app"; cp -r "apps/$app/package.json" "apps/$app/dist" "/images/$image/apps/$app"; \
        rm "/images/$image/apps/$app/dist/main.js.map"; \
      done; \
    done; \
    for image in consent cli; do cp -r --parents node_modules/@node-rs "/images/$image"; done

# What every image has in common. Its memory is divided as `npm start` divides it; two of the options can only stand in a command line.
FROM ${NODE_IMAGE} AS service
ENV NODE_ENV=production HOST=0.0.0.0 PORT=8080 \
    NODE_OPTIONS="--max-semi-space-size=12 --max-old-space-size=256 --use-largepages=silent" \
    MALLOC_ARENA_MAX=2 GLIBC_TUNABLES=glibc.malloc.hugetlb=1
WORKDIR /app
USER 1000:1000
EXPOSE 8080
STOPSIGNAL SIGTERM
# asked by a Node of its own, which on a busy machine takes seconds to start
HEALTHCHECK --interval=10s --timeout=10s --start-period=30s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/health/live`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]

FROM service AS clients
COPY --from=build /images/clients ./
CMD ["node", "--initial-old-space-size=48", "--no-allocation-site-pretenuring", "--no-parallel-scavenge", "apps/clients/dist/main.js"]

FROM service AS consent
COPY --from=build /images/consent ./
CMD ["node", "--initial-old-space-size=48", "--no-allocation-site-pretenuring", "--no-parallel-scavenge", "apps/consent/dist/main.js"]

FROM service AS token
COPY --from=build /images/token ./
CMD ["node", "--initial-old-space-size=48", "--no-allocation-site-pretenuring", "--no-parallel-scavenge", "apps/token/dist/main.js"]

FROM service AS resource
COPY --from=build /images/resource ./
CMD ["node", "--initial-old-space-size=48", "--no-allocation-site-pretenuring", "--no-parallel-scavenge", "apps/resource/dist/main.js"]

FROM service AS sample-client
COPY --from=build /images/sample-client ./
CMD ["node", "--initial-old-space-size=48", "--no-allocation-site-pretenuring", "--no-parallel-scavenge", "apps/sample-client/dist/main.js"]

# The operator's program, and the services' own, whose commands it runs: nothing listens, so nothing is healthy or not.
FROM service AS cli
HEALTHCHECK NONE
COPY --from=build /images/cli ./
ENTRYPOINT ["node", "apps/cli/dist/main.js"]
CMD ["--help"]

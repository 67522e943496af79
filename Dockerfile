# Two stages: the first has compilers and development packages, the second only what runs.
FROM node:24-slim AS build
WORKDIR /studs
COPY package.json package-lock.json tsconfig.json tsconfig.build.json ./
COPY src src
# `npm ci` builds dist/ (script "prepare"); what only building needed goes again.
RUN npm ci && npm prune --omit=dev --ignore-scripts

FROM node:24-slim
# Fewer arenas for the C allocator: large messages pass through several threads, and each would keep its own.
ENV NODE_ENV=production MALLOC_ARENA_MAX=2
WORKDIR /studs
COPY --from=build /studs/node_modules node_modules
COPY --from=build /studs/dist dist
COPY --from=build /studs/package.json ./
RUN ln -s /studs/dist/main.js /usr/local/bin/studs \
 && install -d -o node -g node -m 0700 data certs \
 && install -d config
# The relay owns data/ and certs/ and nothing else; the rest of the file system may be read-only.
USER node
VOLUME ["/studs/data", "/studs/certs"]
EXPOSE 2525 2465 2587
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=10s --start-period=10s CMD ["studs", "healthcheck"]
ENTRYPOINT ["studs"]
CMD ["serve"]

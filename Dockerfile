# The image that `capstan bootstrap` runs: docker build -t capstan:0.1.0 .
FROM node:24-slim AS build
WORKDIR /capstan
COPY . .
RUN npm ci && node tools/build-page.mjs && npm prune --omit=dev && node tools/strip-sources.mjs

FROM node:24-slim
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates git openssh-client \
  && rm -rf /var/lib/apt/lists/*
COPY --from=build /capstan /capstan
USER node
ENV HOME=/tmp
WORKDIR /tmp
ENTRYPOINT ["node", "--disable-warning=ExperimentalWarning", "/capstan/apps/cli/bin/capstan.mjs"]

# Builds dist, then an image that holds only what runs: no compiler, no tests, no nats-server (point POSTHORN_NATS_URL to one).
FROM node:24-bookworm-slim AS build
WORKDIR /build
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json ./
COPY src src
RUN npm run build
RUN npm prune --omit=dev --omit=optional --ignore-scripts --no-audit --no-fund

FROM node:24-bookworm-slim
ENV NODE_ENV=production \
    POSTHORN_DATA_DIR=/data \
    POSTHORN_SMTP_LISTEN=0.0.0.0:2525 \
    POSTHORN_HTTP_LISTEN=0.0.0.0:8080 \
    POSTHORN_ADMIN_LISTEN=0.0.0.0:8081
WORKDIR /app
COPY --from=build /build/package.json ./
COPY --from=build /build/node_modules node_modules
COPY --from=build /build/dist dist
COPY fixtures/apps fixtures/apps
RUN mkdir /data && chown node:node /data
USER node
VOLUME /data
EXPOSE 2525 8080 8081
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s \
  CMD ["node", "-e", "fetch('http://127.0.0.1:8081/livez').then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "dist/bin.js"]
CMD ["serve"]

# The latest Node whose JSON.parse keeps every key: see docs/decisions/0010-node-22-image.md.
FROM node:22.22.3-bookworm-slim@sha256:e21fc383b50d5347dc7a9f1cae45b8f4e2f0d39f7ade28e4eef7d2934522b752 AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json nest-cli.json bundle-packages.js ./
COPY src ./src
COPY packages/client ./packages/client
RUN npm run build

FROM node:22.22.3-bookworm-slim@sha256:e21fc383b50d5347dc7a9f1cae45b8f4e2f0d39f7ade28e4eef7d2934522b752 AS dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# The optional dependencies contain the embedded PostgreSQL, which a container does not need.
RUN npm ci --omit=dev --omit=optional --no-audit --no-fund

FROM node:22.22.3-bookworm-slim@sha256:e21fc383b50d5347dc7a9f1cae45b8f4e2f0d39f7ade28e4eef7d2934522b752
ENV NODE_ENV=production HOST=0.0.0.0 PORT=8000
WORKDIR /app
COPY --from=dependencies /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
COPY package.json ./
USER node
EXPOSE 8000
# Without npm in between, signals reach the process, so that it stops in order.
CMD ["node", "dist/main.js"]

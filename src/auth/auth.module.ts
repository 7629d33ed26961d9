import { Module } from '@nestjs/common';
import { ApiKeyCache } from './api-key.cache.js';
import { KeysRepository } from './keys.repository.js';
import { RateLimits } from './rate-limits.js';

/** API keys: their storage, cache and quotas. The auth plugin of Fastify takes the cache from here. */
@Module({
  providers: [KeysRepository, ApiKeyCache, RateLimits],
  exports: [KeysRepository, ApiKeyCache],
})
export class AuthModule {}

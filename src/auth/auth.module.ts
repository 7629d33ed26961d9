import { Module } from '@nestjs/common';
import { ApiKeyCache } from './api-key.cache.js';
import { AuthenticationFailures } from './authentication-failures.js';
import { KeyUses } from './key-uses.js';
import { KeysRepository } from './keys.repository.js';
import { RateLimits } from './rate-limits.js';

/** API keys: their storage, cache and quotas. The auth plugin of Fastify takes the cache from here. */
@Module({
  providers: [KeysRepository, KeyUses, ApiKeyCache, RateLimits, AuthenticationFailures],
  exports: [KeysRepository, ApiKeyCache, AuthenticationFailures],
})
export class AuthModule {}

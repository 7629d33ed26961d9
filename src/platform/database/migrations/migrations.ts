import { InitialSchema1765000000000 } from './1765000000000-initial-schema.js';

/**
 * All migrations, oldest first. A released migration never changes, because databases that have run it would differ from
 * new ones; `migrations.spec.ts` holds a digest of each.
 */
export const MIGRATIONS = [InitialSchema1765000000000];

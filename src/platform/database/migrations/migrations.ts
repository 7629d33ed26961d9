import { InitialSchema1765000000000 } from './1765000000000-initial-schema.js';
import { BoundKeys1766000000000 } from './1766000000000-bound-keys.js';
import { ApplicationLimits1766100000000 } from './1766100000000-application-limits.js';
import { Replication1766200000000 } from './1766200000000-replication.js';
import { CountsInClickhouse1766300000000 } from './1766300000000-counts-in-clickhouse.js';
import { SessionsInClickhouse1766400000000 } from './1766400000000-sessions-in-clickhouse.js';
import { FewerIndexes1766500000000 } from './1766500000000-fewer-indexes.js';
import { Dialects1766600000000 } from './1766600000000-dialects.js';
import { CopiedBytes1766700000000 } from './1766700000000-copied-bytes.js';

/**
 * All migrations, oldest first. A released migration never changes, because databases that have run it would differ from
 * new ones; `migrations.spec.ts` holds a digest of each.
 */
export const MIGRATIONS = [
  InitialSchema1765000000000,
  BoundKeys1766000000000,
  ApplicationLimits1766100000000,
  Replication1766200000000,
  CountsInClickhouse1766300000000,
  SessionsInClickhouse1766400000000,
  FewerIndexes1766500000000,
  Dialects1766600000000,
  CopiedBytes1766700000000,
];

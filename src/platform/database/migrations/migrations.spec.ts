import { hash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { MIGRATIONS } from './migrations.js';

const FOLDER = import.meta.dirname;

/** SHA-256 of the SQL files of each released migration. Add a line for a new migration; never change one. */
const RELEASED: Record<string, string> = {
  '1765000000000-initial-schema': 'd309dcc8ee393b65f56f89c14253efcb10d1c1ba8919408b791f8f1dce7c5dc9',
  '1766000000000-bound-keys': '9cb4c14f5d6a0efec0f35c8ed4b8c65f1b26a075a63a98b68996bb8d02d086d5',
  '1766100000000-application-limits': 'd7fac3698a446996ab5715ab1f0d6411f82c68a36315e11458c5dd50a55b70f4',
  '1766200000000-replication': 'c93678ee64db6d6cc60d74dc93b2fccf44ff620d742a57224e50c65a19797b14',
  '1766300000000-counts-in-clickhouse': '3b87f0ef0189e06f486043610758f6532e3d6b123610ac8536d4caf2d0f452c4',
  '1766400000000-sessions-in-clickhouse': 'c392c6448fe9752a1f7abef5208ff4c0cdb2cf1ae007fbb96cdabecf35b9c947',
  '1766500000000-fewer-indexes': 'c09e2d1a4ab470d4ce80e92090b9e4890159115bb3e766f08e6235ced5840d93',
  '1766600000000-dialects': '88c4447a15371e07551f539fc84dc230fcb7af030b6112988c0e69a8d4fec153',
  '1766700000000-copied-bytes': '4da2ae487fa8d25e942c4fa5e3f6d1d859f6aae673d3a527cf279e1280e86429',
};

function digestOf(migration: string): string {
  const files = readdirSync(join(FOLDER, migration), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.sql'))
    .sort();
  const texts = files.map((file) => `${file}\n${readFileSync(join(FOLDER, migration, file), 'utf8')}`);
  return hash('sha256', texts.join('\n'), 'hex');
}

describe('Migrations', () => {
  it.each(Object.entries(RELEASED))('of a release never change: %s', (migration, digest) => {
    expect(digestOf(migration)).toBe(digest);
  });

  it('are listed completely and in the order of their timestamps', () => {
    const timestamps = MIGRATIONS.map((migration) => new migration().name.replace(/\D/g, ''));
    const folders = readdirSync(FOLDER, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name);
    expect(folders.sort()).toEqual(Object.keys(RELEASED).sort());
    expect(timestamps).toEqual(folders.map((name) => name.split('-', 1)[0]).sort());
  });
});

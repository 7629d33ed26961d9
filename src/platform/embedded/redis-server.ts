import { spawn } from 'node:child_process';
import { mkdir, rm, symlink } from 'node:fs/promises';
import { connect } from 'node:net';
import { basename, join } from 'node:path';
import type { Folders } from './folders.js';
import { tiedToParent } from './processes.js';
import { findOrInstallRedis, type RedisProgram } from './redis-program.js';
import { spawned, type Server } from './managed-server.js';

/** Milliseconds. */
const PROBE_LIMIT = 1000;

/** Redis (or Valkey) on a Unix socket, its append-only file fsynced before each answer. */
export function redisServer(folders: Folders, log: (line: string) => void): Server {
  const folder = join(folders.data, 'redis');
  const pidFile = join(folder, 'redis.pid');
  let program: RedisProgram;

  const settings = {
    port: '0',
    unixsocket: folders.redisSocket,
    unixsocketperm: '700',
    daemonize: 'no',
    dir: folder,
    pidfile: pidFile,
    // Accepted means durable: an answer leaves only after the command is on disk, rewrite or not.
    appendonly: 'yes',
    appendfsync: 'always',
    'no-appendfsync-on-rewrite': 'no',
    'aof-use-rdb-preamble': 'yes',
    // A crash may tear the last command, which nobody was told of; it is dropped instead of refusing to start.
    'aof-load-truncated': 'yes',
    'auto-aof-rewrite-percentage': '100',
    'auto-aof-rewrite-min-size': '64mb',
    save: '',
    'maxmemory-policy': 'noeviction',
  };

  return {
    name: 'Redis',
    folder,
    pidFile,
    stopSignals: ['SIGTERM', 'SIGKILL'],
    async prepare() {
      program = await findOrInstallRedis(log);
      await mkdir(folder, { recursive: true, mode: 0o700 });
    },
    async spawn() {
      const flags = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]);
      const launch = {
        file: await underItsName(program, folders.run),
        args: flags,
        options: { cwd: folder },
      };
      const { file, args, options } = tiedToParent(launch, 'SIGTERM');
      return spawned(spawn(file, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] }));
    },
    probe: () => ping(folders.redisSocket),
  };
}

/** Redis acts by the name that it is called by; a link gives it the right one. */
async function underItsName({ file, name }: RedisProgram, run: string): Promise<string> {
  if (basename(file) === name) return file;
  const link = join(run, name);
  await rm(link, { force: true });
  await symlink(file, link);
  return link;
}

/** Rejects with what Redis answers while it is still loading its file (`-LOADING …`). */
function ping(path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(path, () => socket.write('PING\r\n'));
    socket.setTimeout(PROBE_LIMIT, () => socket.destroy(new Error('no answer to PING')));
    socket.once('error', reject);
    socket.once('data', (data) => {
      socket.destroy();
      const answer = data.toString().trim();
      if (answer === '+PONG') resolve();
      else reject(new Error(answer));
    });
    socket.once('close', () => reject(new Error('connection closed')));
  });
}

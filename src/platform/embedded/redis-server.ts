import { spawn } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import type { Folders } from './folders.js';
import { spawned, withParentDeathSignal } from './processes.js';
import { findOrInstallRedis } from './redis-program.js';
import type { ServerDefinition } from './server-definition.js';

const PROBE_TIMEOUT_MS = 1000;

/**
 * Redis (or Valkey) on a Unix socket. Its append-only file is fsynced before each reply.
 * @param changes settings of redis.conf that differ, for tests
 */
export function redisServer(
  folders: Folders,
  log: (line: string) => void,
  changes: Readonly<Record<string, string>> = {},
): ServerDefinition {
  const folder = join(folders.data, 'redis');
  const pidFile = join(folder, 'redis.pid');
  let program: string;

  const settings = {
    port: '0',
    unixsocket: folders.redisSocket,
    unixsocketperm: '700',
    daemonize: 'no',
    dir: folder,
    pidfile: pidFile,
    // Accepted means durable: a reply is sent only after the command is on disk, also during a rewrite of the file.
    appendonly: 'yes',
    appendfsync: 'always',
    'no-appendfsync-on-rewrite': 'no',
    'aof-use-rdb-preamble': 'yes',
    // A crash may truncate the last command. No client has a reply to it, so Redis drops it and starts.
    'aof-load-truncated': 'yes',
    'auto-aof-rewrite-percentage': '100',
    'auto-aof-rewrite-min-size': '64mb',
    save: '',
    'maxmemory-policy': 'noeviction',
    // What Redis does besides replying, such as looking whether to rewrite its file: once a second, not ten times.
    hz: '1',
    ...changes,
  };

  return {
    name: 'Redis',
    folder,
    pidFile,
    stopSignals: ['SIGTERM', 'SIGKILL'],
    async prepare() {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      program = await findOrInstallRedis(folder, log);
    },
    async spawn() {
      const flags = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]);
      const { file, args, options } = withParentDeathSignal(
        { file: program, args: flags, options: { cwd: folder } },
        'SIGTERM',
      );
      return spawned(spawn(file, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] }));
    },
    probe: () => ping(folders.redisSocket),
  };
}

/**
 * Sends PING. One word needs no client library.
 * @throws Error with the reply if that is not PONG, such as `-LOADING …` while Redis reads its file
 */
function ping(path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(path, () => socket.write('PING\r\n'));
    socket.setTimeout(PROBE_TIMEOUT_MS, () => socket.destroy(new Error('no reply to PING')));
    socket.once('error', reject);
    socket.once('data', (data) => {
      socket.destroy();
      const reply = data.toString().trim();
      if (reply === '+PONG') resolve();
      else reject(new Error(reply));
    });
    socket.once('close', () => reject(new Error('connection closed')));
  });
}

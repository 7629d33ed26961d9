import { InjectQueue } from '@nestjs/bull';
import { Injectable } from '@nestjs/common';
import type { Queue } from 'bull';
import { INGESTION_QUEUE } from './queue.constants.js';

/** Bull adds jobs on the left and takes them from the right, so the oldest of a list is its last. */
const REPORT = `
local wait, active, delayed = unpack(KEYS)
local jobs = redis.call('LLEN', wait) + redis.call('LLEN', active) + redis.call('ZCARD', delayed)
local last = { redis.call('LINDEX', wait, -1), redis.call('LINDEX', active, -1), redis.call('ZRANGE', delayed, 0, 0)[1] or false }
local oldest = false
for place = 1, 3 do
  local since = last[place] and tonumber(redis.call('HGET', ARGV[1] .. last[place], 'timestamp'))
  if since and (not oldest or since < oldest) then oldest = since end
end
return { jobs, oldest }`;

/** Tells of the jobs that wait or are under way. */
@Injectable()
export class BacklogReport {
  constructor(@InjectQueue(INGESTION_QUEUE) private readonly queue: Queue) {}

  /** @returns how many jobs there are, and when the oldest was added: milliseconds since 1970, undefined for none */
  async read(): Promise<{ jobs: number; oldest: number | undefined }> {
    const keys = ['wait', 'active', 'delayed'].map((name) => this.queue.toKey(name));
    const [jobs, oldest] = (await this.queue.client.eval(
      REPORT,
      keys.length,
      ...keys,
      this.queue.toKey(''),
    )) as [number, number | null];
    return { jobs, oldest: oldest ?? undefined };
  }
}

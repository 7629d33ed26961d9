import { InjectQueue } from '@nestjs/bull';
import { Injectable } from '@nestjs/common';
import type { Queue } from 'bull';
import { INGESTION_QUEUE, UNFINISHED_LISTS } from './queue.constants.js';

/** Bull adds jobs on the left of a list and takes them from the right, so the last job of a list is its oldest. */
const REPORT_SCRIPT = `
local wait, active, delayed = unpack(KEYS)
local jobs = redis.call('LLEN', wait) + redis.call('LLEN', active) + redis.call('ZCARD', delayed)
local last = { redis.call('LINDEX', wait, -1), redis.call('LINDEX', active, -1), redis.call('ZRANGE', delayed, 0, 0)[1] or false }
local oldest = false
for list = 1, 3 do
  local added_at = last[list] and tonumber(redis.call('HGET', ARGV[1] .. last[list], 'timestamp'))
  if added_at and (not oldest or added_at < oldest) then oldest = added_at end
end
return { jobs, oldest, redis.call('ZCARD', delayed) }`;

/** Reads the unfinished jobs of all processes from Redis. */
@Injectable()
export class BacklogReport {
  constructor(@InjectQueue(INGESTION_QUEUE) private readonly queue: Queue) {}

  /**
   * @returns the number of unfinished jobs, how many of them are delayed, and when the oldest was added in milliseconds since
   *   1970 (undefined without any)
   * @throws the error of ioredis
   */
  async read(): Promise<{ jobs: number; delayed: number; oldest: number | undefined }> {
    const keys = UNFINISHED_LISTS.map((name) => this.queue.toKey(name));
    const [jobs, oldest, delayed] = (await this.queue.client.eval(
      REPORT_SCRIPT,
      keys.length,
      ...keys,
      this.queue.toKey(''),
    )) as [number, number | null, number];
    return { jobs, delayed, oldest: oldest ?? undefined };
  }
}

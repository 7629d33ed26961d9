/*
 * The scripts of the buffer. Redis runs each as a whole. At its memory limit it refuses the first command of a script that may
 * need memory, and none that follows a write. So a script that only adds is refused as a whole, and one that frees memory in
 * the end begins with a write that needs none.
 *
 * Lists grow on the left, so the oldest entry is on the right.
 */

/**
 * Adds entries, and says whether an order is due: nobody holds the lease, and no job waits. Any job that waits looks into the
 * buffer, because one of an earlier version adds its own items to it.
 */
const APPEND = `
local buffer, items, lease, wait = unpack(KEYS)
local count, lease_ms = unpack(ARGV)
redis.call('LPUSH', buffer, unpack(ARGV, 3))
local total = redis.call('INCRBY', items, count)
local is_due = redis.call('EXISTS', lease) == 0 and redis.call('LLEN', wait) == 0
if is_due then redis.call('SET', lease, '', 'PX', lease_ms) end
return { total, is_due and 1 or 0 }`;

/**
 * Moves entries to the list of an order, up to a cost, and returns them; first those that are there already. Without any, the
 * order is over: it gives up the lease, in the same moment in which it has seen that nothing waits.
 */
const CLAIM = `
local buffer, taken, orders, lease, items, wait, active, delayed = unpack(KEYS)
local id, previous, label, max_cost, bytes_per_item, lease_ms = unpack(ARGV)
local holder = redis.call('HGET', orders, id)
if previous ~= '' and holder ~= previous and holder ~= label then return false end
redis.call('HDEL', orders, id)
local leader = redis.call('GET', lease)
local is_leader = not leader or leader == '' or leader == id
local entries = {}
local held = redis.call('LRANGE', taken, 0, -1)
for index = #held, 1, -1 do entries[#entries + 1] = held[index] end
local is_full = #held > 0
if not is_full then
  local cost = 0
  while cost < tonumber(max_cost) do
    local entry = redis.call('RPOPLPUSH', buffer, taken)
    if not entry then break end
    entries[#entries + 1] = entry
    cost = cost + math.max(tonumber(string.match(entry, '^%d+')), math.ceil(#entry / bytes_per_item))
  end
  is_full = cost >= tonumber(max_cost)
end
local waiting = redis.call('LLEN', buffer)
if #entries == 0 then
  if is_leader then redis.call('DEL', lease) end
  local is_idle = waiting == 0 and redis.call('EXISTS', orders) == 0 and redis.call('LLEN', wait) == 0
    and redis.call('LLEN', active) <= 1 and redis.call('ZCARD', delayed) == 0
  if is_idle then redis.call('DEL', items) end
  return { entries, 0, 0, 0, waiting }
end
redis.call('HSET', orders, id, label)
if is_leader then redis.call('SET', lease, id, 'PX', lease_ms) end
local is_further_due = is_full and waiting > 0 and redis.call('LLEN', wait) == 0
return { entries, is_full and 1 or 0, is_further_due and 1 or 0, is_leader and 1 or 0, waiting }`;

/** Removes the entries that an order has stored, and returns the number of items that are left; false if it lost them. */
const ACKNOWLEDGE = `
local taken, orders, items = unpack(KEYS)
local id, label, count, is_last = unpack(ARGV)
if redis.call('HGET', orders, id) ~= label then return false end
redis.call('DEL', taken)
if is_last == '1' then redis.call('HDEL', orders, id) end
local left = redis.call('DECRBY', items, count)
if left < 0 then redis.call('DEL', items) end
return math.max(left, 0)`;

/**
 * Hands back the entries of orders whose job is gone, and says whether an order is due: that of a producer which died before it
 * had added it, for example.
 */
const SWEEP = `
local buffer, orders, lease, wait = unpack(KEYS)
local prefix, taken_prefix, lease_ms = unpack(ARGV)
for _, id in ipairs(redis.call('HKEYS', orders)) do
  if redis.call('EXISTS', prefix .. id) == 0 then
    redis.call('HDEL', orders, id)
    while true do
      local entry = redis.call('LPOP', taken_prefix .. id)
      if not entry then break end
      redis.call('RPUSH', buffer, entry)
    end
  end
end
local waiting = redis.call('LLEN', buffer)
local is_due = waiting > 0 and redis.call('EXISTS', lease) == 0 and redis.call('LLEN', wait) == 0
if is_due then redis.call('SET', lease, '', 'PX', lease_ms) end
return { waiting, is_due and 1 or 0 }`;

/** Counts the entries that are not stored, and finds out when the oldest was accepted. */
const REPORT = `
local buffer, orders, delayed = unpack(KEYS)
local prefix, taken_prefix = unpack(ARGV)
local jobs = redis.call('ZCARD', delayed)
local parked = redis.call('ZRANGE', delayed, 0, 0)[1]
local oldest = parked and tonumber(redis.call('HGET', prefix .. parked, 'timestamp')) or nil
local lists = { buffer }
for _, id in ipairs(redis.call('HKEYS', orders)) do lists[#lists + 1] = taken_prefix .. id end
for _, list in ipairs(lists) do
  jobs = jobs + redis.call('LLEN', list)
  local entry = redis.call('LINDEX', list, -1)
  local accepted_at = entry and tonumber(string.match(entry, '^%d+ (%d+)'))
  if accepted_at and (not oldest or accepted_at < oldest) then oldest = accepted_at end
end
return { jobs, oldest or false, redis.call('ZCARD', delayed) }`;

/** As ioredis defines them on a connection, with their numbers of keys. */
export const BUFFER_SCRIPTS = {
  appendEntries: { numberOfKeys: 4, lua: APPEND },
  claimEntries: { numberOfKeys: 8, lua: CLAIM },
  acknowledgeEntries: { numberOfKeys: 3, lua: ACKNOWLEDGE },
  sweepEntries: { numberOfKeys: 4, lua: SWEEP },
  reportEntries: { numberOfKeys: 3, lua: REPORT },
} as const;

/** The keys of the scripts, apart from those of a single order. Three are lists of Bull. */
export const BUFFER_KEYS = ['buffer', 'orders', 'lease', 'items', 'wait', 'active', 'delayed'] as const;
export type BufferKeys = Readonly<Record<(typeof BUFFER_KEYS)[number], string>>;

type Flag = 0 | 1;

/** The replies of the scripts. */
interface Replies {
  appendEntries: [total: number, isDue: Flag];
  claimEntries: [entries: string[], isFull: Flag, isFurtherDue: Flag, isLeader: Flag, waiting: number] | null;
  acknowledgeEntries: number | null;
  sweepEntries: [waiting: number, isDue: Flag];
  reportEntries: [jobs: number, oldest: number | null, delayed: number];
}

/** A connection on which the scripts are defined. */
export type BufferCommands = {
  [Name in keyof Replies]: (...keysAndArguments: (string | number)[]) => Promise<Replies[Name]>;
};

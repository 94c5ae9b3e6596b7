// Long because all scripts stand in one place, beside each other: each is one step that nobody sees the middle of.
import { jobFunctions } from './job-functions.js';

/**
 * Adds a job that BullMQ's own commands cannot add: one with a deduplication key as this library means it, in a queue with a
 * bound, or with more to be known of it while it waits.
 *
 * ARGV: name, data, options, timestamp, delay, priority, deduplication key, its window, what to do on conflict, the error record
 * of whom it replaces, capacity, when it expires, concurrency key, its limit, its id.
 */
const enqueue = `
-- A client sends again what it was not answered, and then this has been done.
if rcall('EXISTS', base .. ARGV[15]) == 1 then return { 'added', ARGV[15] } end
local name, data, options = ARGV[1], ARGV[2], ARGV[3]
local timestamp, delay, priority = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local key, windowMs, onConflict, replacedError = ARGV[7], tonumber(ARGV[8]), ARGV[9], ARGV[10]
local replaced
if key ~= '' then
  local first = rcall('GET', base .. 'de:' .. key)
  if first and rcall('EXISTS', base .. first) == 0 then first = nil end
  first = first or windowHolder(key)
  if first then
    if onConflict ~= 'replace' then return { 'duplicate', first, field(first, 'name') or name, field(first, 'opts') or '' } end
    if endWaiting(first, 'discarded', 'replaced', replacedError, timestamp) then replaced = first end
  end
end
if ARGV[11] ~= '' and delay == 0 and not replaced then
  local waiting = rcall('LLEN', base .. 'wait') + rcall('ZCARD', base .. 'prioritized') + rcall('HLEN', base .. 'nightshift:held')
  if waiting >= tonumber(ARGV[11]) then return { 'full' } end
end
local id = ARGV[15]
local fields = { 'name', name, 'data', data, 'opts', options, 'timestamp', ARGV[4], 'delay', ARGV[5], 'priority', ARGV[6] }
if key ~= '' then
  fields[#fields + 1] = 'deid'
  fields[#fields + 1] = key
  rcall('SET', base .. 'de:' .. key, id)
  if windowMs > 0 then rcall('SET', base .. 'nightshift:window:' .. key, id, 'PX', windowMs)
  else rcall('DEL', base .. 'nightshift:window:' .. key) end
end
if ARGV[13] ~= '' then
  for _, each in ipairs({ 'nightshift:key', ARGV[13], 'nightshift:limit', ARGV[14] }) do fields[#fields + 1] = each end
end
rcall('HSET', base .. id, unpack(fields))
tell('added', id, 'name', name)
if ARGV[12] ~= '' then rcall('ZADD', base .. 'nightshift:expiry', ARGV[12], id) end
if delay > 0 then
  holdUntil(id, timestamp + delay)
  tell('delayed', id, 'delay', ARGV[4] + delay)
else
  lineUp(id, priority)
  tell('waiting', id)
end
if not replaced then return { 'added', id } end
return { 'added', id, replaced, field(replaced, 'name') or '', field(replaced, 'opts') or '' }
`;

/** A task comes to its end, and its window goes on without it. ARGV: id. */
const keepWindow = `
keepWindow(ARGV[1])
return 0
`;

/** What a process looks at several times a second. ARGV: the time. Ends what has expired. */
const look = `
local now = tonumber(ARGV[1])
local expired = {}
for _, id in ipairs(rcall('ZRANGEBYSCORE', base .. 'nightshift:expiry', '-inf', now, 'LIMIT', 0, 200)) do
  local at = rcall('ZSCORE', base .. 'nightshift:expiry', id)
  rcall('ZREM', base .. 'nightshift:expiry', id)
  if not field(id, 'ats') and endWaiting(id, 'expired', 'expired', '', now) then
    local job = rcall('HMGET', base .. id, 'name', 'opts', 'timestamp')
    expired[#expired + 1] = { id, job[1], job[2], job[3], at }
  end
end
for _, id in ipairs(rcall('HKEYS', base .. 'nightshift:cancels')) do
  -- Of this delivery and no other: whoever gets it next asks the job itself.
  if not rcall('LPOS', base .. 'active', id) or field(id, 'ats') ~= field(id, 'nightshift:cancelled') then
    rcall('HDEL', base .. 'nightshift:cancels', id)
    if hasEnded(id) then rcall('HDEL', base .. id, 'nightshift:cancel') end
  end
end
local waiting = rcall('LLEN', base .. 'wait') + rcall('ZCARD', base .. 'prioritized')
return {
  isPaused() and 1 or 0, waiting, rcall('LLEN', base .. 'active'), rcall('ZCARD', base .. 'delayed'),
  rcall('HLEN', base .. 'nightshift:held'), rcall('HGETALL', base .. 'nightshift:cancels'), expired,
  rcall('ZCARD', base .. 'waiting-children'),
}
`;

/** Looks again at what is held back. ARGV: the definitions that are handled here. Gives those of which tasks stay set aside. */
const release = `
local handled, keys = {}, {}
for _, definition in ipairs(ARGV) do handled[definition] = true end
local held = rcall('HGETALL', base .. 'nightshift:held')
local ids, left, isLeft = {}, {}, {}
for i = 1, #held, 2 do
  local id, why = held[i], held[i + 1]
  if rcall('EXISTS', base .. id) == 0 then rcall('HDEL', base .. 'nightshift:held', id)
  elseif why == 'concurrencyKey' then keys[field(id, 'nightshift:key') or ''] = true
  else
    local definition = field(id, 'name') or ''
    if handled[definition] then ids[#ids + 1] = id
    elseif not isLeft[definition] then
      isLeft[definition] = true
      left[#left + 1] = definition
    end
  end
end
table.sort(ids)
for _, id in ipairs(ids) do
  unhold(id)
  if rcall('ZREM', base .. 'delayed', id) == 1 then lineUp(id, duePriority(id)) end
end
for key in pairs(keys) do promoteLine(key) end
return left
`;

/**
 * What is to be known of a job that has begun before. ARGV: id, the field of the attempt before, what to write there if that was
 * interrupted. Gives the cancellation that it has missed, if any: a text that is not empty.
 */
const redeliver = `
local id = ARGV[1]
unhold(id)
local stalls = tonumber(field(id, 'stc') or 0)
if ARGV[3] ~= '' and stalls > tonumber(field(id, 'nightshift:stalls') or 0) then
  rcall('HSET', base .. id, ARGV[2], ARGV[3], 'nightshift:stalls', stalls)
end
return field(id, 'nightshift:cancel')
`;

/** Takes a place of a concurrency key, or holds the job back. ARGV: id, token, key, limit, until when. */
const acquire = `
local id, token, key, limit = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])
-- Held back before, when the answer was lost, or others have it: then it has no place here, whoever has room.
if rcall('GET', base .. id .. ':lock') ~= token then return 0 end
local holders = base .. 'nightshift:holders:' .. key
for _, holder in ipairs(rcall('SMEMBERS', holders)) do
  if holder ~= id and rcall('EXISTS', base .. holder .. ':lock') == 0 then rcall('SREM', holders, holder) end
end
if rcall('SISMEMBER', holders, id) == 1 then return 1 end
-- Others that go before this one may have been fetched, and have not asked yet.
local taken = rcall('SCARD', holders)
local priority = priorityOf(id)
local function goesBefore(other)
  local others = priorityOf(other)
  return others < priority or (others == priority and other < id)
end
for _, other in ipairs(rcall('LRANGE', base .. 'active', 0, -1)) do
  if field(other, 'nightshift:key') == key and goesBefore(other) and rcall('SISMEMBER', holders, other) == 0 then taken = taken + 1 end
end
if taken < limit then
  rcall('SADD', holders, id)
  return 1
end
if rcall('LREM', base .. 'active', 1, id) == 0 then return 0 end
rcall('DEL', base .. id .. ':lock')
rcall('SREM', base .. 'stalled', id)
rcall('HSET', base .. id, 'nightshift:held', 'concurrencyKey')
rcall('HSET', base .. 'nightshift:held', id, 'concurrencyKey')
rcall('ZADD', base .. 'nightshift:line:' .. key, priority, id) -- among equals by the alphabet: by when they were enqueued
holdUntil(id, tonumber(ARGV[5]))
return 0
`;

/** Whether a worker still has the lock of a job. ARGV: id, token. */
const isOurs = `
return rcall('GET', base .. ARGV[1] .. ':lock') == ARGV[2] and 1 or 0
`;

/** Gives the place of a concurrency key back, unless the job is in the hands of another worker by now. ARGV: id, key, token. */
const yieldKey = `
local lock = rcall('GET', base .. ARGV[1] .. ':lock')
if not lock or lock == ARGV[3] then rcall('SREM', base .. 'nightshift:holders:' .. ARGV[2], ARGV[1]) end
promoteLine(ARGV[2])
return 0
`;

/**
 * Whether an outcome has been stored of which the answer was lost. ARGV: id, the number of the delivery, the state, the field of
 * the attempt, what stands there if it was stored. Gives 1 or 0, and -1 when there is no such job any more.
 */
const outcomeStored = `
local id = ARGV[1]
if rcall('EXISTS', base .. id) == 0 then return -1 end
if ARGV[5] ~= '' then return field(id, ARGV[4]) == ARGV[5] and 1 or 0 end
if field(id, 'ats') ~= ARGV[2] then return 0 end
if ARGV[3] == 'completed' then return rcall('ZSCORE', base .. 'completed', id) and 1 or 0 end
return field(id, 'nightshift:state') == ARGV[3] and 1 or 0
`;

/** Sets a job aside for which there is no handler here. ARGV: id, token, until when. */
const park = `
local id = ARGV[1]
if rcall('GET', base .. id .. ':lock') ~= ARGV[2] or rcall('LREM', base .. 'active', 1, id) == 0 then return 0 end
rcall('DEL', base .. id .. ':lock')
rcall('SREM', base .. 'stalled', id)
rcall('HSET', base .. id, 'nightshift:held', 'noHandler')
rcall('HSET', base .. 'nightshift:held', id, 'noHandler')
holdUntil(id, tonumber(ARGV[3]))
return 1
`;

/** ARGV: the time, the error record, the reason, then ids. For each: 1 it is cancelled, 2 its worker is told, 0 neither. */
const cancel = `
local outcomes = {}
for i = 4, #ARGV do
  local id, outcome = ARGV[i], 0
  if rcall('EXISTS', base .. id) == 1 then
    local key = field(id, 'nightshift:key')
    if not isNextOfScheduler(id) and endWaiting(id, 'cancelled', ARGV[3], ARGV[2], ARGV[1]) then
      outcome = 1
      if key then promoteLine(key) end
    elseif rcall('LPOS', base .. 'active', id) then
      outcome = 2
      rcall('HSET', base .. id, 'nightshift:cancel', ARGV[2], 'nightshift:cancelled', field(id, 'ats') or '')
      rcall('HSET', base .. 'nightshift:cancels', id, ARGV[2])
    end
  end
  outcomes[#outcomes + 1] = outcome
end
return outcomes
`;

/** Lets failed jobs run again. ARGV: ids. Gives those that do. */
const retry = `
local retried = {}
for _, id in ipairs(ARGV) do
  if rcall('ZREM', base .. 'failed', id) == 1 then
    rcall('HDEL', base .. id, 'finishedOn', 'processedOn', 'failedReason', 'stacktrace', 'returnvalue', 'atm', 'stc', 'defa',
      'nightshift:state', 'nightshift:error', 'nightshift:cancel', 'nightshift:cancelled')
    rcall('HINCRBY', base .. id, 'ats', 1) -- has begun before, so it does not expire
    local key = field(id, 'deid')
    if key then rcall('SET', base .. 'de:' .. key, id, 'NX') end
    lineUp(id, duePriority(id))
    tell('waiting', id, 'prev', 'failed')
    retried[#retried + 1] = id
  end
end
return retried
`;

/** Forgets jobs that have ended. ARGV: ids. Gives how many. */
const remove = `
local count = 0
for _, id in ipairs(ARGV) do
  if rcall('ZREM', base .. 'completed', id) + rcall('ZREM', base .. 'failed', id) > 0 then
    forget(id)
    tell('removed', id, 'prev', 'ended')
    count = count + 1
  end
end
return count
`;

/** ARGV: ids. Those that are there, each with where it is, its score there, and its fields. */
const read = `
local found = {}
for _, id in ipairs(ARGV) do
  local isJob = rcall('TYPE', base .. id).ok == 'hash'
  local fields = isJob and rcall('HGETALL', base .. id) or {}
  if #fields > 0 then
    local where, score
    for _, set in ipairs({ 'completed', 'failed', 'delayed', 'prioritized', 'waiting-children' }) do
      score = rcall('ZSCORE', base .. set, id)
      if score then where = set break end
    end
    if not where and rcall('LPOS', base .. 'active', id) then where = 'active' end
    if not where and rcall('LPOS', base .. 'wait', id) then where = 'wait' end
    if where then found[#found + 1] = { id, where, score or '', fields } end
  end
end
return found
`;

/**
 * Ids by where they are, each with when it was added, if the id does not say so itself. ARGV: how many of each, then which. Of
 * what has ended, the last.
 */
const list = `
local last = tonumber(ARGV[1]) - 1
local ids = {}
for i = 2, #ARGV do
  local set, key = ARGV[i], base .. ARGV[i]
  if set == 'wait' or set == 'active' then ids[#ids + 1] = rcall('LRANGE', key, -last - 1, -1)
  elseif set == 'completed' or set == 'failed' then ids[#ids + 1] = rcall('ZREVRANGE', key, 0, last)
  else ids[#ids + 1] = rcall('ZRANGE', key, 0, last) end
end
local answer = {}
for _, part in ipairs(ids) do
  for _, id in ipairs(part) do
    answer[#answer + 1] = id
    answer[#answer + 1] = #id ~= 22 and field(id, 'timestamp') or ''
  end
end
return answer
`;

/** How many of a stretch of failed or delayed jobs are of which kind. ARGV: which, from, to, the time. */
const tally = `
local counts, kinds = {}, {}
local jobs = rcall('ZREVRANGE', base .. ARGV[1], ARGV[2], ARGV[3], 'WITHSCORES')
for i = 1, #jobs, 2 do
  local kind = field(jobs[i], 'nightshift:state')
  if ARGV[1] == 'delayed' then
    if field(jobs[i], 'nightshift:held') or tonumber(jobs[i + 1]) / 0x1000 <= tonumber(ARGV[4]) then kind = 'waiting'
    elseif kind ~= 'retrying' then kind = 'scheduled' end
  end
  kind = kind or 'dead'
  if not counts[kind] then kinds[#kinds + 1] = kind end
  counts[kind] = (counts[kind] or 0) + 1
end
local pairsOfThem = {}
for _, kind in ipairs(kinds) do
  pairsOfThem[#pairsOfThem + 1] = kind
  pairsOfThem[#pairsOfThem + 1] = counts[kind]
end
return pairsOfThem
`;

/**
 * Removes what is beyond the retention, looking at a stretch of what has ended, the last first; unless somebody has done so a
 * moment ago, for all processes do this. ARGV: which, from, to, how long that is for each stretch, then for each state: its
 * name, before when it goes, how many more are kept. Gives how many were looked at, how many were removed, and of which state
 * how many were kept.
 */
const prune = `
local set, from, to = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local rules, order = {}, {}
for i = 5, #ARGV, 3 do
  rules[ARGV[i]] = { before = tonumber(ARGV[i + 1]), count = tonumber(ARGV[i + 2]), kept = 0 }
  order[#order + 1] = ARGV[i]
end
if from == 0 then
  local stretches = math.max(1, math.ceil(rcall('ZCARD', base .. set) / (to + 1)))
  local restMs = string.format('%.0f', tonumber(ARGV[4]) * stretches)
  if not rcall('SET', base .. 'nightshift:pruned:' .. set, 1, 'NX', 'PX', restMs) then return { 0, 0 } end
end
local jobs, removed = rcall('ZREVRANGE', base .. set, from, to, 'WITHSCORES'), 0
for i = 1, #jobs, 2 do
  local id, at = jobs[i], tonumber(jobs[i + 1])
  local rule = rules[set == 'completed' and 'completed' or field(id, 'nightshift:state') or 'dead'] or rules[order[1]]
  if at < rule.before or rule.kept >= rule.count then
    rcall('ZREM', base .. set, id)
    forget(id)
    removed = removed + 1
  else rule.kept = rule.kept + 1 end
end
local answer = { #jobs / 2, removed }
for _, state in ipairs(order) do answer[#answer + 1] = rules[state].kept end
return answer
`;

const bodies = {
  enqueue,
  keepWindow,
  look,
  release,
  redeliver,
  acquire,
  isOurs,
  outcomeStored,
  yieldKey,
  park,
  cancel,
  retry,
  remove,
  read,
  list,
  tally,
  prune,
};

export type QueueScript = keyof typeof bodies;

/** Each script by its name, complete. */
export const queueScripts: Readonly<Record<QueueScript, string>> = Object.freeze(
  Object.fromEntries(Object.entries(bodies).map(([name, body]) => [name, jobFunctions + body])) as Record<
    QueueScript,
    string
  >,
);

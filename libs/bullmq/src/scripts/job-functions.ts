/**
 * What the scripts of this library have in common. They work on the keys of BullMQ 6, which are named nowhere else: `KEYS[1]`
 * is what all keys of a queue begin with, as in `bull:mail:`. What is kept beside is in fields and keys that begin with
 * `nightshift:`, so that BullMQ and its tools take no notice of them.
 */
export const jobFunctions = `
local rcall = redis.call
local base = KEYS[1]

local function field(id, name) return rcall('HGET', base .. id, name) end

local function priorityOf(id) return tonumber(field(id, 'priority')) or 0 end

local function tell(event, id, ...)
  rcall('XADD', base .. 'events', 'MAXLEN', '~', 10000, '*', 'event', event, 'jobId', id, ...)
end

local function isPaused() return rcall('HEXISTS', base .. 'meta', 'paused') == 1 end

local function wake()
  if not isPaused() then rcall('ZADD', base .. 'marker', 0, '0') end
end

-- The score of a job that may run: by priority, and in the order in which they come.
local function lineUp(id, priority)
  if priority == 0 then
    rcall('LPUSH', base .. 'wait', id)
  else
    local number = rcall('INCR', base .. 'pc')
    rcall('ZADD', base .. 'prioritized', priority * 0x100000000 + number % 0x100000000, id)
  end
  wake()
end

local function holdUntil(id, atMs)
  local score = atMs * 0x1000
  local last = rcall('ZREVRANGEBYSCORE', base .. 'delayed', score + 0xfff, score, 'WITHSCORES', 'LIMIT', 0, 1)
  if last[2] then score = math.min(tonumber(last[2]) + 1, score + 0xfff) end
  rcall('ZADD', base .. 'delayed', score, id)
  local first = rcall('ZRANGE', base .. 'delayed', 0, 0, 'WITHSCORES')
  rcall('ZADD', base .. 'marker', tonumber(first[2]) / 0x1000, '1')
end

-- The priority of one whose time has come: the even number below.
local function duePriority(id)
  local priority = priorityOf(id)
  if priority % 2 == 1 then priority = priority - 1 end
  if priority > 0 then rcall('HSET', base .. id, 'priority', priority) end
  return priority
end

-- Takes a job out of where jobs wait. Says where that was.
local function takeOut(id)
  if rcall('ZREM', base .. 'prioritized', id) == 1 then return 'prioritized' end
  if rcall('ZREM', base .. 'delayed', id) == 1 then return 'delayed' end
  if rcall('LREM', base .. 'wait', 0, id) > 0 then return 'waiting' end
  return nil
end

local function freeKey(id)
  local key = field(id, 'deid')
  if key and rcall('GET', base .. 'de:' .. key) == id then rcall('DEL', base .. 'de:' .. key) end
end

local function hasEnded(id)
  return rcall('ZSCORE', base .. 'completed', id) or rcall('ZSCORE', base .. 'failed', id)
end

-- The window of a deduplication key holds the id of its task, and says so when that has come to an end: whoever removes it
-- before that, or the whole queue, removes the duplicate that the window is there for.
local ended = ' has ended'

local function keepWindow(id)
  local key = field(id, 'deid')
  local window = key and base .. 'nightshift:window:' .. key
  if window and rcall('GET', window) == id then rcall('SET', window, id .. ended, 'KEEPTTL') end
end

-- The id of the task with this key that ended within its window, or is there.
local function windowHolder(key)
  local holder = rcall('GET', base .. 'nightshift:window:' .. key)
  if not holder then return nil end
  if string.sub(holder, -#ended) == ended then return string.sub(holder, 1, -#ended - 1) end
  return rcall('EXISTS', base .. holder) == 1 and holder or nil
end

local function unhold(id)
  rcall('HDEL', base .. id, 'nightshift:held')
  if rcall('HDEL', base .. 'nightshift:held', id) == 0 then return end
  local key = field(id, 'nightshift:key')
  if key then rcall('ZREM', base .. 'nightshift:line:' .. key, id) end
end

-- Brings a job to its end that does not run. Says whether it was there.
local function endWaiting(id, state, reason, errorRecord, nowMs)
  local from = takeOut(id)
  if not from then return false end
  freeKey(id)
  keepWindow(id)
  unhold(id)
  rcall('HSET', base .. id, 'failedReason', reason, 'finishedOn', nowMs, 'nightshift:state', state)
  if errorRecord ~= '' then rcall('HSET', base .. id, 'nightshift:error', errorRecord) end
  rcall('ZADD', base .. 'failed', nowMs, id)
  tell('failed', id, 'failedReason', reason, 'prev', from)
  return true
end

-- The job that makes the next one of its scheduler when it begins. BullMQ does not remove it either.
local function isNextOfScheduler(id)
  local scheduler = field(id, 'rjk')
  local at = scheduler and rcall('ZSCORE', base .. 'repeat', scheduler)
  return at and id == 'repeat:' .. scheduler .. ':' .. at
end

-- One that has ended.
local function forget(id)
  local key = base .. id
  keepWindow(id)
  rcall('DEL', key, key .. ':logs', key .. ':dependencies', key .. ':processed', key .. ':failed', key .. ':unsuccessful')
end

-- As many tasks of a concurrency key go on as have room.
local function promoteLine(key)
  local holders = base .. 'nightshift:holders:' .. key
  local line = base .. 'nightshift:line:' .. key
  for _, holder in ipairs(rcall('SMEMBERS', holders)) do
    if rcall('EXISTS', base .. holder .. ':lock') == 0 then rcall('SREM', holders, holder) end
  end
  local running = rcall('SCARD', holders)
  while true do
    local id = rcall('ZRANGE', line, 0, 0)[1]
    if not id then return end
    local limit = tonumber(field(id, 'nightshift:limit')) or 1
    if running >= limit then return end
    rcall('ZREM', line, id)
    unhold(id)
    if rcall('ZREM', base .. 'delayed', id) == 1 then
      lineUp(id, duePriority(id))
      running = running + 1
    end
  end
end
`;

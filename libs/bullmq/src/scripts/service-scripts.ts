/**
 * Which occurrences of services have run. `KEYS[1]` is what the keys begin with. Of each service there is a hash: the time of
 * an occurrence -> who holds it, 'done', or 'free' when it was given back. Who holds something has a key of their own that
 * expires.
 */
const functions = `
local rcall = redis.call
local base = KEYS[1]
local service = base .. 'service:' .. ARGV[1]

local function isAlive(holder) return rcall('EXISTS', base .. 'process:' .. holder) == 1 end

local function giveBack(at)
  rcall('HSET', service, at, 'free')
  rcall('INCR', base .. 'releases')
end

-- The latest that ran or runs. What a dead process held is given back.
local function latest()
  local all, last = rcall('HGETALL', service), nil
  for i = 1, #all, 2 do
    local at, holder = all[i], all[i + 1]
    if holder ~= 'done' and holder ~= 'free' and not isAlive(holder) then
      giveBack(at)
      holder = 'free'
    end
    if holder ~= 'free' and (not last or tonumber(at) > tonumber(last)) then last = at end
  end
  return last
end
`;

/** ARGV: service. */
const latestOccurrence = `return latest()`;

/** ARGV: service, time, holder. Gives 1 when it is theirs. */
const claimOccurrence = `
local at, holder = ARGV[2], ARGV[3]
local last = latest()
local held = rcall('HGET', service, at)
if held == holder then return 1 end
if held and held ~= 'free' then return 0 end
if not held and last and tonumber(at) <= tonumber(last) then return 0 end
rcall('HSET', service, at, holder)
rcall('SADD', base .. 'services', ARGV[1])
return 1
`;

/** ARGV: service, time, holder. Of what has run, only the last is kept. */
const completeOccurrence = `
local at = ARGV[2]
if rcall('HGET', service, at) ~= ARGV[3] then return 0 end
rcall('HSET', service, at, 'done')
local all, last = rcall('HGETALL', service), tonumber(at)
for i = 1, #all, 2 do
  if all[i + 1] == 'done' then last = math.max(last, tonumber(all[i])) end
end
local free = {}
for i = 1, #all, 2 do
  local each = tonumber(all[i])
  if all[i + 1] == 'done' and each < last then rcall('HDEL', service, all[i]) end
  if all[i + 1] == 'free' and each < last then free[#free + 1] = each end
end
table.sort(free)
for i = 1, #free - 100 do rcall('HDEL', service, string.format('%.0f', free[i])) end
return 1
`;

/** ARGV: service, time, holder. */
const releaseOccurrence = `
if rcall('HGET', service, ARGV[2]) == ARGV[3] then giveBack(ARGV[2]) end
return 0
`;

/** ARGV: nothing. Gives how often anything was given back, ever. */
const sweepOccurrences = `
for _, name in ipairs(rcall('SMEMBERS', base .. 'services')) do
  service = base .. 'service:' .. name
  latest()
end
return tonumber(rcall('GET', base .. 'releases') or 0)
`;

const bodies = {
  latestOccurrence,
  claimOccurrence,
  completeOccurrence,
  releaseOccurrence,
  sweepOccurrences,
};

export type ServiceScript = keyof typeof bodies;

export const serviceScripts: Readonly<Record<ServiceScript, string>> = Object.freeze(
  Object.fromEntries(Object.entries(bodies).map(([name, body]) => [name, functions + body])) as Record<
    ServiceScript,
    string
  >,
);

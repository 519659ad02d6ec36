/**
 * What happens in Redis, each in one step.
 *
 * One hash a domain, the fence, holds `gen` (what is cached under another generation is void), `epoch` and `opened` (the
 * feed, and the tick with which its leader began), `base` (what was read before this tick may not be stored), `applied`
 * (everything up to this tick has been applied), `within` (and of the next tick, up to this sequence number), a tick for
 * each place that was touched, and one for each table of which so much was touched at once that all of it counts as
 * touched ("all <table>").
 *
 * An entry is "<gen> <tick> <version> <JSON>": everything up to its tick is in it.
 */

/** What an entry begins with, as a Lua pattern. */
const HEADER = `'^(%S+) (%d+) (%d+) ()'`;

/**
 * KEYS: fence, entries. ARGV: table, place of each entry.
 * Gives [gen, epoch, applied, [JSON or nil …]], or nothing where there is no fence.
 */
export const READ = `
local state = redis.call('HMGET', KEYS[1], 'gen', 'epoch', 'applied', 'all ' .. ARGV[1])
if not state[1] then return {} end
local all = tonumber(state[4] or '0')
local entries = redis.call('MGET', unpack(KEYS, 2))
local touched = redis.call('HMGET', KEYS[1], unpack(ARGV, 2))
local values = {}
for i, entry in ipairs(entries) do
  values[i] = false
  if entry then
    local gen, tick, _, start = string.match(entry, ${HEADER})
    tick = tonumber(tick)
    if gen == state[1] and tick >= all and tick >= tonumber(touched[i] or '0') then values[i] = string.sub(entry, start) end
  end
end
return {state[1], state[2], state[3], values}`;

/**
 * KEYS: fence, entries. ARGV: gen, tick, table, and of each entry its place, TTL in milliseconds, version and JSON.
 * Stores what nothing has touched since the tick at which it was read. Gives how many.
 */
export const STORE = `
local state = redis.call('HMGET', KEYS[1], 'gen', 'base', 'all ' .. ARGV[3])
local read = tonumber(ARGV[2])
if state[1] ~= ARGV[1] or read < tonumber(state[2]) or read < tonumber(state[3] or '0') then return 0 end
local stored = 0
for i = 2, #KEYS do
  local at = 4 + (i - 2) * 4
  local touched = tonumber(redis.call('HGET', KEYS[1], ARGV[at]) or '0')
  local gen, tick = string.match(redis.call('GET', KEYS[i]) or '', ${HEADER})
  if touched <= read and (gen ~= ARGV[1] or tonumber(tick) <= read) then
    redis.call('SET', KEYS[i], ARGV[1] .. ' ' .. ARGV[2] .. ' ' .. ARGV[at + 2] .. ' ' .. ARGV[at + 3], 'PX', ARGV[at + 1])
    stored = stored + 1
  end
end
return stored`;

/**
 * KEYS: fence, entries of rows that changed. ARGV: epoch, opened, previous tick, sequence number up to which the tick has
 * been applied, tick, sequence number up to which it then has been ('0' where it ends), a generation in case one must
 * begin, how many fields of the fence are touched, these, and of each row its table, place, version and JSON, which is
 * empty where the row is gone.
 * Applies what the leader has found: 'applied'; 'begun' where what had been applied is not what came before, so that a
 * new generation begins; 'deposed' where a later leader has applied something already.
 */
export const APPLY = `
local epoch, opened, previous, after, tick, within, fresh = unpack(ARGV, 1, 7)
local state = redis.call('HMGET', KEYS[1], 'gen', 'epoch', 'opened', 'applied', 'within')
if state[2] == epoch and tonumber(state[3]) > tonumber(opened) then return 'deposed' end
if state[2] ~= epoch or state[3] ~= opened or state[4] ~= previous or state[5] ~= after then
  redis.call('DEL', KEYS[1])
  redis.call('HSET', KEYS[1], 'gen', fresh, 'epoch', epoch, 'opened', opened, 'base', tick, 'applied', tick,
    'within', '0')
  return 'begun'
end
local count = tonumber(ARGV[8])
for i = 2, #KEYS do
  local of = 9 + count + (i - 2) * 4
  local version, json = ARGV[of + 2], ARGV[of + 3]
  local entry = redis.call('GET', KEYS[i]) or ''
  local gen, at, held, start = string.match(entry, ${HEADER})
  if json == '' then
    redis.call('DEL', KEYS[i])
  elseif gen == state[1] and tonumber(at) <= tonumber(tick) then
    local touched = redis.call('HMGET', KEYS[1], ARGV[of + 1], 'all ' .. ARGV[of])
    local isCurrent = tonumber(touched[1] or '0') <= tonumber(at) and tonumber(touched[2] or '0') <= tonumber(at)
    if isCurrent and tonumber(held) > tonumber(version) then version, json = held, string.sub(entry, start) end
    redis.call('SET', KEYS[i], gen .. ' ' .. tick .. ' ' .. version .. ' ' .. json, 'KEEPTTL')
  end
end
for first = 9, 8 + count, 2000 do
  local fields = {}
  for i = first, math.min(first + 1999, 8 + count) do
    fields[#fields + 1] = ARGV[i]
    fields[#fields + 1] = tick
  end
  redis.call('HSET', KEYS[1], unpack(fields))
end
redis.call('HSET', KEYS[1], 'within', within)
if within == '0' then redis.call('HSET', KEYS[1], 'applied', tick) end
return 'applied'`;

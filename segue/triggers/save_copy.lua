-- Saves records of a ledger and the mark, or nothing: it returns 0 if the mark is not the expected one.
-- KEYS: the count of saves, the hash. ARGV: the expected mark, '' if there must be no copy; the new mark; then as
--       MessagePack the fields and values to set, and the fields to delete.
if ARGV[1] == '' then
  if redis.call('EXISTS', KEYS[1], KEYS[2]) > 0 then return 0 end
else
  local saves = redis.call('GET', KEYS[1]) or ''
  if redis.call('HGET', KEYS[2], 'mark') ~= saves .. ' ' .. ARGV[1] then return 0 end
end

-- The first effect, and it is relative: the beginning of a lost save that comes back makes the count grow.
local number = string.format('%.0f', redis.call('INCR', KEYS[1]))

-- Lua's unpack has a limit. The chunk size is even, because fields and values come in pairs.
local CHUNK = 4000
local function in_chunks(command, list)
  for first = 1, #list, CHUNK do
    redis.call(command, KEYS[2], unpack(list, first, math.min(first + CHUNK - 1, #list)))
  end
end
in_chunks('HDEL', cmsgpack.unpack(ARGV[4]))
in_chunks('HSET', cmsgpack.unpack(ARGV[3]))
redis.call('HSET', KEYS[2], 'mark', number .. ' ' .. ARGV[2])
return 1

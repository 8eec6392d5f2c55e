-- Writes a whole batch, or nothing: it returns 0 if the lane's place is not the place at the batch's beginning,
-- and -1 if a key that must exist is gone.
-- KEYS: the place, the count of saves, the users, the sorted sets: the indexes, the lane's users by sweep,
--       by due day if a feature reads the day, and the indexes of users' orders.
-- ARGV: the kind of expectation ('place', 'none', or 'torn': exactly these bytes and this count), the
--       expected place, the expected count (only for 'torn'), the new place; then as MessagePack the users'
--       {fields and values to set, fields to delete, whether the key must exist} and the sorted sets' {scores
--       and members, members to remove, whether to delete the set first, whether the key must exist}.
local stored, saves = redis.call('GET', KEYS[1]), redis.call('GET', KEYS[2])
if ARGV[1] == 'torn' then
  if (stored or '') ~= ARGV[2] or (saves or '') ~= ARGV[3] then return 0 end
else
  local number, place = string.match(stored or '', '^(%d+) (.*)$')
  if tonumber(number or 0) ~= tonumber(saves or 0) then return 0 end
  if ARGV[1] == 'none' then
    if stored then return 0 end
  elseif (place or stored) ~= ARGV[2] then
    return 0
  end
end

-- Lua's unpack has a limit. The chunk size is even, because fields and values come in pairs.
local CHUNK = 4000
local users, sets = cmsgpack.unpack(ARGV[5]), cmsgpack.unpack(ARGV[6])

local must_exist = {}
for i, write in ipairs(users) do
  if write[3] then must_exist[#must_exist + 1] = KEYS[2 + i] end
end
for i, write in ipairs(sets) do
  if write[4] then must_exist[#must_exist + 1] = KEYS[2 + #users + i] end
end
for first = 1, #must_exist, CHUNK do
  local last = math.min(first + CHUNK - 1, #must_exist)
  if redis.call('EXISTS', unpack(must_exist, first, last)) ~= last - first + 1 then return -1 end
end

-- The first effect, and it is relative. If Redis brings back only the beginning of a lost save, this count
-- grows. The place is written last and contains the count, so it does not change.
local number = string.format('%.0f', redis.call('INCR', KEYS[2]))

local function in_chunks(command, key, list)
  for first = 1, #list, CHUNK do
    redis.call(command, key, unpack(list, first, math.min(first + CHUNK - 1, #list)))
  end
end

for i, write in ipairs(users) do
  in_chunks('HDEL', KEYS[2 + i], write[2])
  in_chunks('HSET', KEYS[2 + i], write[1])
end
for i, write in ipairs(sets) do
  if write[3] then redis.call('UNLINK', KEYS[2 + #users + i]) end
  in_chunks('ZREM', KEYS[2 + #users + i], write[2])
  in_chunks('ZADD', KEYS[2 + #users + i], write[1])
end
redis.call('SET', KEYS[1], number .. ' ' .. ARGV[4])
return 1

-- Writes a batch whole, or nothing: only if the lane's place is still the one that the batch began with.
-- KEYS: the place, the users, the sorted sets: the indexes and the lane's users by sweep.
-- ARGV: whether a place is expected (1 or 0), that place, the new place, and as MessagePack the users'
--       {fields and values to set, fields to delete} and the sorted sets' {scores and members, members to remove}.
local stored = redis.call('GET', KEYS[1])
if ARGV[1] == '1' then
  if stored ~= ARGV[2] then return 0 end
elseif stored then
  return 0
end

-- Lua's unpack has a limit of its own, and it is even, since fields and values come in pairs.
local CHUNK = 4000
local function in_chunks(command, key, list)
  for first = 1, #list, CHUNK do
    redis.call(command, key, unpack(list, first, math.min(first + CHUNK - 1, #list)))
  end
end

local users, sets = cmsgpack.unpack(ARGV[4]), cmsgpack.unpack(ARGV[5])
for i, write in ipairs(users) do
  in_chunks('HDEL', KEYS[1 + i], write[2])
  in_chunks('HSET', KEYS[1 + i], write[1])
end
for i, write in ipairs(sets) do
  in_chunks('ZREM', KEYS[1 + #users + i], write[2])
  in_chunks('ZADD', KEYS[1 + #users + i], write[1])
end
redis.call('SET', KEYS[1], ARGV[3])
return 1

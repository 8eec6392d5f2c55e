-- Writes a batch, or nothing if the place is not the place at the batch's beginning.
-- KEYS: the place, the index, the users.
-- ARGV: the expected place; the new place; as MessagePack, the plain fields of each user, and the scores and
--       members of the index; then the users' states, which are bytes.
if (redis.call('GET', KEYS[1]) or '') ~= ARGV[1] then return 0 end
for i, plain in ipairs(cmsgpack.unpack(ARGV[3])) do
  redis.call('HSET', KEYS[2 + i], 'state', ARGV[4 + i], unpack(plain))
end
local index = cmsgpack.unpack(ARGV[4])
for first = 1, #index, 4000 do
  redis.call('ZADD', KEYS[2], unpack(index, first, math.min(first + 3999, #index)))
end
redis.call('SET', KEYS[1], ARGV[2])
return 1

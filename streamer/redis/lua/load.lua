-- Reads users, the size of the lane's set of users, and then the lane's place. If several users are too large
-- together, it stops, and returns only the size of the users that it has read.
-- KEYS: the place, the count of saves, the lane's users by sweep, the users.
-- ARGV: the most bytes of several users; as MessagePack, the fields to read, by user, and the users' ids.
local most, wanted, ids = tonumber(ARGV[1]), cmsgpack.unpack(ARGV[2]), cmsgpack.unpack(ARGV[3])

-- Lua's unpack has a limit of its own.
local CHUNK = 4000
local rows, bytes = {}, 0
for i, fields in ipairs(wanted) do
  local row = {}
  for first = 1, #fields, CHUNK do
    local some = redis.call('HMGET', KEYS[3 + i], unpack(fields, first, math.min(first + CHUNK - 1, #fields)))
    for j = 1, #some do
      row[first + j - 1] = some[j]
      if some[j] then bytes = bytes + #some[j] end
    end
  end
  if #wanted > 1 and bytes > most then return bytes end
  rows[i] = row
end
-- Each row ends with the user's sweep, which shows that the lane knows the user.
for first = 1, #ids, CHUNK do
  local sweeps = redis.call('ZMSCORE', KEYS[3], unpack(ids, first, math.min(first + CHUNK - 1, #ids)))
  for j = 1, #sweeps do
    local i = first + j - 1
    rows[i][#wanted[i] + 1] = sweeps[j]
  end
end
rows[#wanted + 1] = redis.call('ZCARD', KEYS[3])
rows[#wanted + 2] = redis.call('MGET', KEYS[1], KEYS[2])
return rows

-- The nearest users on either side of each angle: the same walk as streamer.neighbours.AngleIndex.
-- KEYS: the index. ARGV: the users' keys up to the id, how many to find on a side, and as MessagePack the
--       users left out and the angles as text.
-- Returns for each angle a flat list of user id, angle as text, segment (or false).
local index, user_prefix, wanted = KEYS[1], ARGV[1], tonumber(ARGV[2])
local excluded = {}
for _, user_id in ipairs(cmsgpack.unpack(ARGV[3])) do excluded[user_id] = true end

-- Takes members between two scores, smallest first and tied ones by id, until `wanted` are found.
local function ascending(found, low, high)
  local offset = 0
  while #found < wanted do
    local page = redis.call('ZRANGEBYSCORE', index, low, high, 'WITHSCORES', 'LIMIT', offset, wanted)
    for i = 1, #page, 2 do
      if not excluded[page[i]] and #found < wanted then
        found[#found + 1] = {page[i], page[i + 1]}
      end
    end
    if #page < 2 * wanted then return end
    offset = offset + wanted
  end
end

-- The same with falling scores; those of one score are equally far, so they come by id all the same.
local function descending(found, high, low)
  while #found < wanted do
    local next_one = redis.call('ZREVRANGEBYSCORE', index, high, low, 'WITHSCORES', 'LIMIT', 0, 1)
    if #next_one == 0 then return end
    ascending(found, next_one[2], next_one[2])
    high = '(' .. next_one[2]
  end
end

local answers = {}
for i, angle in ipairs(cmsgpack.unpack(ARGV[4])) do
  local up, down, told = {}, {}, {}
  ascending(up, angle, '+inf')
  ascending(up, '-inf', '(' .. angle)
  descending(down, '(' .. angle, '-inf')
  descending(down, '+inf', angle)
  for _, side in ipairs({up, down}) do
    for _, user in ipairs(side) do
      told[#told + 1] = user[1]
      told[#told + 1] = user[2]
      told[#told + 1] = redis.call('HGET', user_prefix .. user[1], 'segment')
    end
  end
  answers[i] = told
end
return answers

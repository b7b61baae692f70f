-- PUT /v1/kv/bench/N: 10,000 keys in turn, each write with a value of its own.
local n = 0

request = function()
  n = n + 1
  return wrk.format("PUT", "/v1/kv/bench/" .. n % 10000, nil, "value " .. n)
end

-- PUT /v1/catalog/register: 1,000 instances on 100 nodes in turn, the port of each changing every time.
local n = 0
local body = '{"Node":"node-%d","Address":"10.0.0.%d","Service":{"ID":"bench-%d","Service":"bench-%d","Port":%d}}'

request = function()
  n = n + 1
  local node, instance = n % 100, n % 1000
  return wrk.format("PUT", "/v1/catalog/register", nil,
    body:format(node, node, instance, instance % 50, 1024 + math.floor(n / 1000) % 60000))
end

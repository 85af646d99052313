-- Send, receive, delete, one message each, over and over. Arguments: queue URL, key id, secret, region.
-- wrk does not say which connection a request is for, so the cycle runs over all of them together: a handle that
-- came is deleted by whoever asks next.
package.path = debug.getinfo(1, "S").source:match("@(.*/)") .. "?.lua;" .. package.path
require("report")
local signature = require("signature")

local sign, send, receive
local queue_url
local handles, last = {}, 0
local turn = 0

function init(args)
  queue_url = args[1]
  sign = signature.signer(queue_url:match("//([^/]+)"), args[2], args[3], args[4])
  -- The same bytes may be sent for fifteen minutes: their signature stays good.
  send = sign("SendMessage", '{"QueueUrl":"' .. queue_url .. '","MessageBody":"' .. string.rep("m", 256) .. '"}')
  receive = sign("ReceiveMessage", '{"QueueUrl":"' .. queue_url .. '"}')
end

function request()
  if last > 0 then
    local handle = handles[last]
    last = last - 1
    return sign("DeleteMessage", '{"QueueUrl":"' .. queue_url .. '","ReceiptHandle":"' .. handle .. '"}')
  end
  turn = 1 - turn
  return turn == 1 and send or receive
end

function response(status, headers, body)
  local handle = body:match('"ReceiptHandle":"([^"]+)"')
  if handle then
    last = last + 1
    handles[last] = handle
  end
end

-- Send, receive, delete, over and over. For the arguments see calls.lua.
-- wrk does not say which connection a request is for, so the cycle runs over all of them together: a handle that
-- came is deleted by whoever asks next.
package.path = debug.getinfo(1, "S").source:match("@(.*/)") .. "?.lua;" .. package.path
require("report")
local calls = require("calls")

-- Of many queues, a queue is asked this many turns after it was sent to: by then the message is there.
local LAG = 256

local worker
local queues
local batches, last = {}, 0
local turn = 0

function init(args)
  worker = calls.of(args)
  queues = math.max(1, worker.options.queues)
end

function request()
  if last > 0 then
    local found = batches[last]
    batches[last] = nil
    last = last - 1
    return worker.delete(found)
  end
  turn = turn + 1
  local step = math.floor(turn / 2)
  if turn % 2 == 1 then return worker.send(step % queues) end
  empty = empty + 1 -- until an answer with messages comes
  return worker.receive(queues > 1 and (step - LAG) % queues or 0)
end

function response(status, headers, body)
  if not calls.succeeded(status, body) then return note_error(status, body) end
  local found = worker.found_in(body)
  if found then
    empty = empty - 1
    last = last + 1
    batches[last] = found
  end
end

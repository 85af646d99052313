-- One of the three calls alone, over and over. For the arguments see calls.lua; two more:
--
--   verb=send|receive|delete
--   handles=FILE   for delete: receipt handles, one a line
package.path = debug.getinfo(1, "S").source:match("@(.*/)") .. "?.lua;" .. package.path
require("report")
local calls = require("calls")

local worker
local verbs = {}
local handles, taken = {}, 0

function init(args)
  worker = calls.of(args)
  if worker.options.handles then
    for line in io.lines(worker.options.handles) do handles[#handles + 1] = line end
  end
  request = verbs[worker.options.verb]
end

function verbs.send() return worker.send(0) end

function verbs.receive()
  empty = empty + 1 -- until an answer with messages comes
  return worker.receive(0)
end

-- When the handles run out the last ones are deleted again, which succeeds too; ``deleted`` counts each once.
function verbs.delete()
  local found = { queue = 0 }
  for i = 1, worker.options.batch do found[i] = handles[(taken + i - 1) % #handles + 1] end
  taken = taken + worker.options.batch
  if taken > #handles then deleted = deleted - worker.options.batch end
  return worker.delete(found)
end

request = verbs.send -- wrk looks whether there is one before it calls init

function response(status, headers, body)
  if not calls.succeeded(status, body) then return note_error(status, body) end
  if worker.found_in(body) then empty = empty - 1 end
end

-- Sends messages in batches of ten until there are enough. For the arguments see calls.lua; one more:
--
--   messages=10000   how many
--
-- wrk cannot be told to stop before its time, so the process is ended from here with one line of JSON; a run that
-- reaches its time limit first ends with the usual report instead.
package.path = debug.getinfo(1, "S").source:match("@(.*/)") .. "?.lua;" .. package.path
require("report")
local calls = require("calls")

local worker
local filled = 0

function init(args)
  worker = calls.of(args)
end

function request()
  return worker.send(0)
end

function response(status, headers, body)
  if not calls.succeeded(status, body) then return note_error(status, body) end
  filled = filled + worker.options.batch
  if filled >= worker.options.messages then
    io.write(string.format('{"filled": %d}\n', filled))
    io.stdout:flush()
    os.exit(0)
  end
end

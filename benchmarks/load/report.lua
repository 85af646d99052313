-- What wrk measured, as one line of JSON. The scripts count in globals of their thread; wrk has one thread here.
local threads = {}

sent, received, deleted, empty, failed = 0, 0, 0, 0, 0
first_error = ""

function setup(thread)
  threads[#threads + 1] = thread
end

-- Keeps what the first answer that is not a success says: a count of errors alone helps nobody.
function note_error(status, body)
  failed = failed + 1
  if first_error == "" then
    first_error = (status .. " " .. body):gsub('[%c"\\]', " "):sub(1, 300)
  end
end

local function total(name)
  local sum = 0
  for _, thread in ipairs(threads) do sum = sum + (thread:get(name) or 0) end
  return sum
end

function done(summary, latency)
  local errors = summary.errors
  local function ms(percentile) return latency:percentile(percentile) / 1e3 end
  io.write(string.format(
    '{"requests": %d, "seconds": %.3f, "p50_ms": %.3f, "p90_ms": %.3f, "p99_ms": %.3f, "p999_ms": %.3f, '
      .. '"max_ms": %.3f, "bad_status": %d, "broken": %d, "sent": %d, "received": %d, "deleted": %d, "empty": %d, '
      .. '"failed": %d, "first_error": "%s"}\n',
    summary.requests, summary.duration / 1e6, ms(50), ms(90), ms(99), ms(99.9), latency.max / 1e3, errors.status,
    errors.connect + errors.read + errors.write + errors.timeout, total("sent"), total("received"),
    total("deleted"), total("empty"), total("failed"), threads[1]:get("first_error") or ""))
end

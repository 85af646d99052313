-- The three calls of a worker: send, receive, delete. Arguments of every script that uses this: queue URL, key id,
-- secret, region, then options as name=value:
--
--   batch=10       messages in a call (JSON only)
--   groups=1000    the queue is a FIFO queue; messages go to this many groups in turn
--   queues=10000   the URL is a prefix: queues URL0, URL1, … are used in turn
--   protocol=query the older form protocol instead of JSON
--   signed=no      no signatures
--   pace=20        each connection waits 0 to 40 ms after an answer: a steady load, not all that the server can do
local signature = require("signature")

local BODY_BYTES = 256
local calls = {}

local function options_of(args)
  local options = { batch = 1, groups = 0, queues = 0, protocol = "json", signed = "yes", pace = 0 }
  for position = 5, #args do
    local name, value = args[position]:match("^(%w+)=(.*)$")
    options[name] = tonumber(value) or value
  end
  return options
end

local function encoded(text)
  return (text:gsub("[^%w%-_.~]", function(c) return string.format("%%%02X", c:byte()) end))
end

-- What differs between the protocols: how a call is written and how handles are found in an answer.
local protocols = {}

function protocols.json(post)
  local formats = {}

  local function message(sending)
    local fifo = sending.group and ',"MessageGroupId":"' .. sending.group .. '","MessageDeduplicationId":"'
      .. sending.id .. '"' or ""
    return '"MessageBody":"' .. sending.body .. '"' .. fifo .. "}"
  end

  function formats.send(url, sending)
    return post("SendMessage", '{"QueueUrl":"' .. url .. '",' .. message(sending))
  end

  function formats.receive(url, maximum)
    local batch = maximum > 1 and ',"MaxNumberOfMessages":' .. maximum or ""
    return post("ReceiveMessage", '{"QueueUrl":"' .. url .. '"' .. batch .. "}")
  end

  function formats.delete(url, handle)
    return post("DeleteMessage", '{"QueueUrl":"' .. url .. '","ReceiptHandle":"' .. handle .. '"}')
  end

  function formats.send_batch(url, batch)
    local entries = {}
    for i, sending in ipairs(batch) do entries[i] = '{"Id":"' .. i .. '",' .. message(sending) end
    return post("SendMessageBatch", '{"QueueUrl":"' .. url .. '","Entries":[' .. table.concat(entries, ",") .. "]}")
  end

  function formats.delete_batch(url, handles)
    local entries = {}
    for i, handle in ipairs(handles) do entries[i] = '{"Id":"' .. i .. '","ReceiptHandle":"' .. handle .. '"}' end
    return post("DeleteMessageBatch", '{"QueueUrl":"' .. url .. '","Entries":[' .. table.concat(entries, ",") .. "]}")
  end

  formats.handle = '"ReceiptHandle":%s*"([^"]+)"'
  formats.body = '"Body":%s*"(%d+)m'
  return formats
end

function protocols.query(post)
  local function form(action, url, rest)
    return post(nil, "Action=" .. action .. "&Version=2012-11-05&QueueUrl=" .. encoded(url) .. rest)
  end
  local formats = {}

  function formats.send(url, sending)
    local fifo = sending.group and "&MessageGroupId=" .. sending.group .. "&MessageDeduplicationId=" .. sending.id
    return form("SendMessage", url, "&MessageBody=" .. sending.body .. (fifo or ""))
  end

  function formats.receive(url, maximum)
    return form("ReceiveMessage", url, "&MaxNumberOfMessages=" .. maximum)
  end

  function formats.delete(url, handle)
    return form("DeleteMessage", url, "&ReceiptHandle=" .. encoded(handle))
  end

  formats.handle = "<ReceiptHandle>([^<]+)</ReceiptHandle>"
  formats.body = "<Body>(%d+)m"
  return formats
end

-- An object with the calls as methods; each answers the bytes of a request. It counts what is sent and deleted.
function calls.of(args)
  local options = options_of(args)
  local host = args[1]:match("//([^/]+)")
  local post = options.signed == "yes" and signature.signer(host, args[2], args[3], args[4])
    or signature.unsigned(host)
  local formats = protocols[options.protocol](post)
  local many = options.queues > 0
  local run, count = os.time(), 0
  local worker = { options = options }

  local function url(queue) return many and args[1] .. queue or args[1] end

  -- Each body is another one, and says first which queue it is for: an answer does not say where it comes from.
  local function message(queue)
    count = count + 1
    local start = string.format("%08dm%010d", queue, count)
    return {
      body = start .. string.rep("m", BODY_BYTES - #start),
      group = options.groups > 0 and "group-" .. count % options.groups,
      id = run .. "-" .. count,
    }
  end

  function worker.send(queue)
    sent = sent + options.batch
    if options.batch == 1 then return formats.send(url(queue), message(queue)) end
    local batch = {}
    for i = 1, options.batch do batch[i] = message(queue) end
    return formats.send_batch(url(queue), batch)
  end

  function worker.receive(queue)
    return formats.receive(url(queue), options.batch)
  end

  function worker.delete(found)
    deleted = deleted + #found
    if options.batch > 1 then return formats.delete_batch(url(found.queue), found) end
    return formats.delete(url(found.queue), found[1])
  end

  -- The handles in an answer, or nil when there are none; counts them.
  function worker.found_in(answer)
    local first = answer:find("ReceiptHandle", 1, true)
    if not first then return nil end
    local found = { queue = many and tonumber(answer:match(formats.body)) or 0 }
    for handle in answer:gmatch(formats.handle) do found[#found + 1] = handle end
    received = received + #found
    return found
  end

  if options.pace > 0 then
    function delay() return math.random(0, 2 * options.pace) end
  end
  return worker
end

-- Whether an answer says that a call succeeded in all its parts.
function calls.succeeded(status, answer)
  return status == 200 and not (answer:find('"Failed"', 1, true) and answer:find('"Failed":%s*%[%s*{'))
end

return calls

-- Signature version 4 for wrk, through the OpenSSL that wrk is linked with. The signing key is made once; the date
-- is that of the second, as with any SDK.
local ffi = require("ffi")
ffi.cdef([[
  unsigned char *SHA256(const unsigned char *data, size_t size, unsigned char *digest);
  const void *EVP_sha256(void);
  unsigned char *HMAC(const void *md, const void *key, int key_size, const unsigned char *data, size_t size,
                      unsigned char *digest, unsigned int *digest_size);
]])
local loaded, crypto = pcall(ffi.load, "crypto")
if not loaded then crypto = ffi.load("libcrypto.so.3") end
local digest = ffi.new("unsigned char[32]")
local size = ffi.new("unsigned int[1]")
local sha256 = crypto.EVP_sha256()

local HEX = {}
for byte = 0, 255 do HEX[string.char(byte)] = string.format("%02x", byte) end

local function hex(bytes)
  return (bytes:gsub(".", HEX))
end

local function hash(text)
  crypto.SHA256(text, #text, digest)
  return hex(ffi.string(digest, 32))
end

local function hmac(key, text)
  crypto.HMAC(sha256, key, #key, text, #text, digest, size)
  return ffi.string(digest, 32)
end

local JSON = "application/x-amz-json-1.0"
local FORM = "application/x-www-form-urlencoded; charset=utf-8"

-- The lines that say what the body is, as they are signed and as they are sent.
local function described(action)
  if action then
    return JSON, "content-type;host;x-amz-date;x-amz-target", "\nx-amz-target:AmazonSQS." .. action,
      "\r\nX-Amz-Target: AmazonSQS." .. action
  end
  return FORM, "content-type;host;x-amz-date", "", ""
end

local signature = {}

-- Answers a function that makes the bytes of a signed POST. With an action the body is JSON, without it a form.
function signature.signer(host, key_id, secret, region)
  local time, now, scope, key
  local function refresh()
    if os.time() == time then return end
    time = os.time()
    now = os.date("!%Y%m%dT%H%M%SZ", time)
    local day = now:sub(1, 8)
    scope = day .. "/" .. region .. "/sqs/aws4_request"
    key = hmac(hmac(hmac(hmac("AWS4" .. secret, day), region), "sqs"), "aws4_request")
  end
  return function(action, body)
    refresh()
    local content_type, names, signed_target, target = described(action)
    local canonical = "POST\n/\n\ncontent-type:" .. content_type .. "\nhost:" .. host .. "\nx-amz-date:" .. now
      .. signed_target .. "\n\n" .. names .. "\n" .. hash(body)
    local to_sign = "AWS4-HMAC-SHA256\n" .. now .. "\n" .. scope .. "\n" .. hash(canonical)
    return "POST / HTTP/1.1\r\nHost: " .. host .. "\r\nContent-Type: " .. content_type .. target
      .. "\r\nX-Amz-Date: " .. now .. "\r\nAuthorization: AWS4-HMAC-SHA256 Credential=" .. key_id .. "/"
      .. scope .. ", SignedHeaders=" .. names .. ", Signature=" .. hex(hmac(key, to_sign))
      .. "\r\nContent-Length: " .. #body .. "\r\n\r\n" .. body
  end
end

-- The same without a signature.
function signature.unsigned(host)
  return function(action, body)
    local content_type, _, _, target = described(action)
    return "POST / HTTP/1.1\r\nHost: " .. host .. "\r\nContent-Type: " .. content_type .. target
      .. "\r\nContent-Length: " .. #body .. "\r\n\r\n" .. body
  end
end

return signature

-- Signature version 4 for wrk, through the OpenSSL that wrk is linked with. The signing key is made once.
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

local function hex(bytes)
  return (bytes:gsub(".", function(c) return string.format("%02x", c:byte()) end))
end

local function hash(text)
  crypto.SHA256(text, #text, digest)
  return hex(ffi.string(digest, 32))
end

local function hmac(key, text)
  crypto.HMAC(sha256, key, #key, text, #text, digest, size)
  return ffi.string(digest, 32)
end

local signature = {}

-- Answers a function that makes the bytes of a signed POST of a JSON body.
function signature.signer(host, key_id, secret, region)
  local now = os.date("!%Y%m%dT%H%M%SZ")
  local day = now:sub(1, 8)
  local scope = day .. "/" .. region .. "/sqs/aws4_request"
  local key = hmac(hmac(hmac(hmac("AWS4" .. secret, day), region), "sqs"), "aws4_request")
  local names = "content-type;host;x-amz-date;x-amz-target"
  return function(action, body)
    local target = "AmazonSQS." .. action
    local canonical = "POST\n/\n\ncontent-type:application/x-amz-json-1.0\nhost:" .. host .. "\nx-amz-date:" .. now
      .. "\nx-amz-target:" .. target .. "\n\n" .. names .. "\n" .. hash(body)
    local to_sign = "AWS4-HMAC-SHA256\n" .. now .. "\n" .. scope .. "\n" .. hash(canonical)
    return "POST / HTTP/1.1\r\nHost: " .. host .. "\r\nContent-Type: application/x-amz-json-1.0\r\nX-Amz-Target: "
      .. target .. "\r\nX-Amz-Date: " .. now .. "\r\nAuthorization: AWS4-HMAC-SHA256 Credential=" .. key_id .. "/"
      .. scope .. ", SignedHeaders=" .. names .. ", Signature=" .. hex(hmac(key, to_sign))
      .. "\r\nContent-Length: " .. #body .. "\r\n\r\n" .. body
  end
end

return signature

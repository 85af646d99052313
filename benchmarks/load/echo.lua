-- Posts one JSON body of the size of a SendMessage, over and over: the ceiling.
package.path = debug.getinfo(1, "S").source:match("@(.*/)") .. "?.lua;" .. package.path
require("report")

wrk.method = "POST"
wrk.headers["Content-Type"] = "application/x-amz-json-1.0"
wrk.headers["X-Amz-Target"] = "AmazonSQS.SendMessage"
wrk.body = '{"QueueUrl":"http://127.0.0.1/000000000000/q","MessageBody":"' .. string.rep("m", 256) .. '"}'

-- For wrk(1): the figures as one line of JSON on stderr.  With POLITE set it
-- also looks at each answer and counts those that say when to come again.
local threads = {}
polite = 0

function setup(thread)
  table.insert(threads, thread)
end

if os.getenv("POLITE") then
  function response(status, headers)
    if status == 503 and headers["Retry-After"] then
      polite = polite + 1
    end
  end
end

done = function(summary, latency, requests)
  local e, said = summary.errors, 0
  for _, thread in ipairs(threads) do
    said = said + thread:get("polite")
  end
  io.stderr:write(string.format(
    '{"requests":%d,"duration_us":%d,"errors":%d,"polite":%d,"dropped":%d,' ..
    '"p50_us":%d,"p99_us":%d,"max_us":%d}\n',
    summary.requests, summary.duration,
    e.status + e.connect + e.read + e.write + e.timeout, said,
    e.connect + e.read + e.write + e.timeout,
    latency:percentile(50), latency:percentile(99), latency.max))
end

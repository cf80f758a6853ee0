-- One metric point a call, for wrk: RUN=<run id> wrk -t1 -c64 -d10 --latency -s bench/log_metric.lua http://127.0.0.1:8500
local run = os.getenv("RUN")
local count = 0

request = function()
  count = count + 1
  local point = string.format('{"run_id":"%s","key":"loss","value":%d.5,"timestamp":%d,"step":%d}', run, count, 1700000000000 + count, count)
  return wrk.format("POST", "/api/2.0/mlflow/runs/log-metric", {["content-type"] = "application/json"}, point)
end

from benchmarks.run_bench import run_bench

run_bench("benchmarks.latency.bench_latency")

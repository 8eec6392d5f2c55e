from benchmarks.run_bench import run_bench

run_bench("benchmarks.parts.bench_parts")

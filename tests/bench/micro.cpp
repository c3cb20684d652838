// What a step of each hot path takes. `./dev bench` compares the figures with those of
// tests/bench/baseline.json.
#include "bench/hot_paths.hpp"

#include <exception>

#include <benchmark/benchmark.h>

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  for (const sharedrift::HotPath& path : sharedrift::hot_paths()) {
    benchmark::RegisterBenchmark(path.name.c_str(), [path](benchmark::State& state) {
      try {
        const auto step = path.prepare();
        step();  // what is made once and kept
        for (auto _ : state)
          step();
      } catch (const std::exception& error) {
        state.SkipWithError(error.what());
      }
    });
  }
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
}

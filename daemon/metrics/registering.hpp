#pragma once

#include "core/failure.hpp"
#include "metrics/own_families.hpp"

#include <array>
#include <cstddef>
#include <string>

#include <prometheus/counter.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

/// Families of what happens, in prometheus-cpp's registry, which owns them. Inside SelfMetrics only.
namespace sharedrift {

static_assert(kAllReasons.size() == static_cast<std::size_t>(kAllReasons.back()) + 1, "indexed by Reason");

template <class T>
using Family = prometheus::Family<T>;

inline Family<prometheus::Counter>& counters(const MetricSpec& spec, prometheus::Registry& registry) {
  return prometheus::BuildCounter()
      .Name(std::string(spec.name))
      .Help(std::string(spec.help))
      .Register(registry);
}
inline Family<prometheus::Histogram>& histograms(const MetricSpec& spec, prometheus::Registry& registry) {
  return prometheus::BuildHistogram()
      .Name(std::string(spec.name))
      .Help(std::string(spec.help))
      .Register(registry);
}

/// A counter of each reason, in the order of kAllReasons.
using ByReason = std::array<prometheus::Counter*, kAllReasons.size()>;
inline ByReason by_reason(Family<prometheus::Counter>& family, prometheus::Labels labels) {
  ByReason out{};
  for (std::size_t i = 0; i < out.size(); ++i) {
    labels["reason"] = to_string(kAllReasons.at(i));
    out.at(i) = &family.Add(labels);
  }
  return out;
}

}  // namespace sharedrift

#pragma once

#include "core/time.hpp"

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string_view>

#include <spdlog/sinks/base_sink.h>
#include <sys/types.h>

namespace sharedrift {

/// Writes whole lines to a descriptor with a bound on the time; see Logger. spdlog's own sinks block without
/// end on a full pipe, and its asynchronous mode loses the last lines before a crash.
class StderrSink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  /// `fd` is not owned. A line waits for `patience` at most.
  StderrSink(int fd, Millis patience, std::unique_ptr<spdlog::formatter> formatter);

  [[nodiscard]] std::uint64_t written(spdlog::level::level_enum level) const { return written_.at(level); }
  [[nodiscard]] std::uint64_t dropped() const { return dropped_; }
  /// A line was lost before it came here.
  void count_loss();

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override;
  void flush_() override {}  // nothing is held back

 private:
  bool write_all(std::string_view text);
  [[nodiscard]] ssize_t write_some(std::string_view text) const;

  const int fd_;
  const bool is_socket_;
  const Millis patience_;
  bool stuck_ = false;  ///< the last line did not get through: the next ones do not wait
  bool torn_ = false;   ///< and a part of it did: the next begins on a line of its own
  std::array<std::atomic<std::uint64_t>, spdlog::level::n_levels> written_{};
  std::atomic<std::uint64_t> dropped_{0};
  std::atomic<std::uint64_t> untold_{0};  ///< of the dropped ones, those that no line told of yet
};

}  // namespace sharedrift

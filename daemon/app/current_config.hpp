#pragma once

#include "app/cli.hpp"
#include "config/config.hpp"
#include "config/diagnostic.hpp"
#include "core/result.hpp"

#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace sharedrift {

/// The configuration in force, and what was read from its files last. in_force() and set() are thread-safe;
/// the others are for one thread at a time.
class CurrentConfig {
 public:
  using Ptr = std::shared_ptr<const Config>;

  /// `options` outlives it.
  explicit CurrentConfig(const Options& options) : options_(options) {}

  /// Reads the files. What others can write is refused, unless --config.trust-file-mode takes it;
  /// so is what names files with which a profile cannot work.
  Result<Ptr, std::vector<Diagnostic>> load();
  /// Whether the files differ from what load() read last in a way that decides whether they are taken, or as
  /// what.
  [[nodiscard]] bool changed() const;
  /// Files that load() took last although others can write them.
  [[nodiscard]] const std::vector<Diagnostic>& untrusted() const { return untrusted_; }

  /// Warnings about what the configuration names: certificates that end soon, files that others can change.
  /// As of the last load() that took the files.
  [[nodiscard]] const std::vector<Diagnostic>& doubts() const { return doubts_; }

  /// Null before set().
  [[nodiscard]] Ptr in_force() const;
  void set(Ptr config);

 private:
  const Options& options_;
  std::string tried_;  ///< fingerprint of what was read last
  std::vector<Diagnostic> untrusted_;
  std::vector<Diagnostic> doubts_;
  mutable std::mutex mutex_;
  Ptr in_force_;  ///< guarded by mutex_
};

}  // namespace sharedrift

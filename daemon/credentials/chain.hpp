#pragma once

#include "credentials/finding.hpp"

#include <atomic>
#include <cstddef>
#include <functional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace sharedrift {

/// What a look at the places of a chain gave: the ways to credentials, best first, and why the places before
/// and between them are none.
struct Outlook {
  struct Way {
    std::size_t rank;  ///< place in the chain
    std::string_view origin;
    std::variant<Credentials, Remote> what;
  };
  struct Skipped {
    std::size_t rank;
    std::string_view origin;
    std::string why;
    bool news;  ///< it was set up, and does not work
  };
  std::vector<Way> ways;
  std::vector<Skipped> skipped;
  std::vector<FileStamp> watched;

  /// The best way needs no call.
  [[nodiscard]] bool immediate() const {
    return !ways.empty() && std::holds_alternative<Credentials>(ways.front().what);
  }
};

/// The places where credentials may be, in order; a single place is a chain of one. A chain that failed is
/// tried again from its start. Once a place worked, none after it is used any more: a source that stops
/// working must be heard of, not replaced by somebody else's key. Thread-safe.
class Chain {
 public:
  /// `world` outlives the chain.
  Chain(const CredentialSpec& options, const CredentialWorld& world);

  /// Reads variables and files; never blocks on anything else.
  [[nodiscard]] Outlook look() const;
  /// What is wrong with the places as far as this machine knows, in words: what was set up and cannot work,
  /// and why there is none at all. Calls nobody.
  [[nodiscard]] std::vector<std::string> local_faults() const;
  /// Goes the ways in order until one leads to credentials that are not expired. Does not block when the
  /// outlook is immediate.
  Result<Credentials, Failure> obtain(const Outlook& outlook, const std::stop_token& stop);

 private:
  struct Place {
    std::string_view origin;
    std::function<Finding(Sight&)> look;
  };
  [[nodiscard]] Failure failure_of(std::vector<Outlook::Skipped> tried, Failure last) const;

  const CredentialWorld& world_;
  std::vector<Place> places_;
  std::atomic<std::size_t> last_usable_;  ///< places after this one are out
};

}  // namespace sharedrift

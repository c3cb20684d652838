#include "http_server/http_connections.hpp"

#include <chrono>
#include <utility>

#include <sys/socket.h>

namespace sharedrift {

bool HttpConnections::enter(int fd, std::string address) {
  const std::scoped_lock lock(mutex_);
  if (closed_) return false;
  ++by_address_[address];
  open_.emplace(fd, Entry{std::move(address), std::chrono::steady_clock::now()});
  return true;
}

void HttpConnections::enter_phase(int fd, Phase phase) {
  Entry& entry = open_.at(fd);
  entry.phase = phase;
  entry.since = std::chrono::steady_clock::now();
}

void HttpConnections::answering(int fd) {
  const std::scoped_lock lock(mutex_);
  enter_phase(fd, Phase::answering);
}

void HttpConnections::reading(int fd) {
  const std::scoped_lock lock(mutex_);
  enter_phase(fd, Phase::reading);
}

bool HttpConnections::idle(int fd) {
  const std::scoped_lock lock(mutex_);
  enter_phase(fd, Phase::idle);
  return !draining_;
}

void HttpConnections::leave(int fd) {
  const std::scoped_lock lock(mutex_);
  const auto entry = open_.find(fd);
  if (entry == open_.end()) return;
  const auto count = by_address_.find(entry->second.address);
  if (--count->second == 0) by_address_.erase(count);
  open_.erase(entry);
  changed_.notify_all();
}

std::tuple<HttpConnections::Phase, int, MonoTime> HttpConnections::claim(const Entry& entry) const {
  return {entry.phase, -by_address_.at(entry.address), entry.since};
}

void HttpConnections::evict_one() {
  const std::scoped_lock lock(mutex_);
  const MonoTime now = std::chrono::steady_clock::now();
  auto worst = open_.end();
  for (auto it = open_.begin(); it != open_.end(); ++it) {
    const Entry& entry = it->second;
    if (entry.cut || (entry.phase == Phase::answering && now - entry.since < kSlowAnswer)) continue;
    if (worst == open_.end() || claim(entry) < claim(worst->second)) worst = it;
  }
  if (worst == open_.end()) return;
  worst->second.cut = true;
  ::shutdown(worst->first, SHUT_RDWR);
}

void HttpConnections::drain(Millis grace) {
  std::unique_lock lock(mutex_);
  draining_ = true;
  for (const auto& [fd, entry] : open_) {
    if (entry.phase == Phase::idle) ::shutdown(fd, SHUT_RDWR);
  }
  changed_.wait_for(lock, grace, [this] { return open_.empty(); });
  closed_ = true;
  for (const auto& [fd, entry] : open_)
    ::shutdown(fd, SHUT_RDWR);
}

}  // namespace sharedrift

#pragma once

#include "core/event.hpp"
#include "core/record.hpp"
#include "core/result.hpp"
#include "ports.hpp"
#include "store/state_file.hpp"

#include <atomic>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

namespace sharedrift {

/// The state database: SQLite in WAL mode, one writer thread. Transactions are atomic and durable, so a kill
/// at any moment leaves a state that was true. A change that comes alone is written at once; of a burst, what
/// comes within 5 ms of a transaction goes into the next one together. What cannot be written waits in
/// memory and is tried again; polling never waits for it.
///
/// A file that is damaged, foreign, of a later version or larger than its limits is moved aside; the daemon
/// goes on with a new one, and ok() stays false until the next start. So it does when the file is missing: at
/// a start after another (the lock file remembers that there was one), or while it is in use.
class StateDb final : public StateStore {
 public:
  /// Takes the lock on `path`. The only errors are that another daemon has it, or that it is a symbolic link;
  /// everything else is worked around. `sink` and `clock` must outlive the object.
  static Result<std::unique_ptr<StateDb>, std::string> open(std::string path, Millis retention,
                                                            EventSink& sink, const Clock& clock,
                                                            StateLimits limits = StateLimits::of({}));
  ~StateDb() override;
  StateDb(const StateDb&) = delete;
  StateDb& operator=(const StateDb&) = delete;

  SavedState load() override;
  void save(ImageRecord record, std::vector<Event> events) override;
  void forget(const ImageId& image) override;
  void add_event(const Event& event) override;
  void set_fleet(const FleetRecord& fleet) override;
  void set_discovered(std::vector<DiscoveredImage> images) override;

  /// How long events are kept from now on. Thread-safe.
  void set_retention(Millis retention);
  /// Writes what waits and ends the writer; called by the destructor too. Bounded by a few seconds.
  void close();
  /// Blocks until what was handed in so far is on disk, or writing failed. For tests and the end.
  bool flush();

  [[nodiscard]] bool ok() const { return ok_.load() && !set_aside_.load(); }
  [[nodiscard]] std::optional<WallTime> last_write() const;
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  class Connection;  ///< the open database with its prepared statements
  struct Batch {
    std::map<ImageId, std::optional<ImageRecord>> images;  ///< none: forget it
    std::vector<Event> events;
    std::optional<FleetRecord> fleet;
    std::optional<std::vector<DiscoveredImage>> discovered;
    [[nodiscard]] bool empty() const { return images.empty() && events.empty() && !fleet && !discovered; }
  };

  StateDb(std::string path, int lock_fd, Millis retention, EventSink& sink, const Clock& clock,
          StateLimits limits);
  template <class Change>
  void hand_in(Change change);
  void write_loop(const std::stop_token& stop);
  bool write(Batch& batch);
  void put_back(Batch batch);
  void note_failure(const std::string& what);
  void tell_rejected(const std::string& why, const std::string& moved_to);
  bool open_connection();
  void look_for_the_last_one();
  void say_stopped(bool stopped);
  void set_aside(const std::string& why);

  const std::string path_;
  const int lock_fd_;
  std::atomic<Millis::rep> retention_;
  std::atomic<bool> prune_{true};  ///< at the next write, whenever the last time was
  EventSink& sink_;
  const Clock& clock_;
  const StateLimits limits_;
  std::unique_ptr<Connection> connection_;  ///< of the writer thread once it runs
  std::atomic<bool> ok_{true};
  std::atomic<bool> set_aside_{false};
  std::atomic<WallTime::rep> last_write_{0};

  std::mutex mutex_;
  std::condition_variable_any changed_;
  Batch waiting_;                ///< guarded by mutex_
  std::uint64_t handed_in_ = 0;  ///< guarded by mutex_: changes handed in so far
  std::uint64_t written_ = 0;    ///< guarded by mutex_: of these, tried
  bool flush_wanted_ = false;    ///< guarded by mutex_
  std::jthread writer_;
};

}  // namespace sharedrift

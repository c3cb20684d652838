#include "store/state_db.hpp"

#include "core/text.hpp"
#include "store/state_tables.hpp"

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <system_error>

#include <sys/stat.h>
#include <unistd.h>

namespace sharedrift {

namespace {

using namespace std::chrono_literals;

constexpr Millis kRetryDelay = 5s;
/// A transaction waits for the disk, however little is in it.
constexpr Millis kBetweenWrites = 5ms;
constexpr Millis kPruneEvery = 24h;
/// Events kept in memory while the disk refuses them; the oldest go first.
constexpr std::size_t kMaxWaitingEvents = 10'000;

}  // namespace

/// The open database and when it was last pruned. Lives on one thread at a time.
class StateDb::Connection {
 public:
  Connection(StateTables tables, const std::string& path) : tables_(std::move(tables)) {
    ::lstat(path.c_str(), &file_);
  }
  StateTables& tables() { return tables_; }
  /// False once the file at `path` is another, or none: what is written would be lost. SQLite looks for this
  /// with rollback journals only (3.40).
  [[nodiscard]] bool is_at(const std::string& path) const {
    struct stat now {};
    return ::lstat(path.c_str(), &now) == 0 && now.st_ino == file_.st_ino && now.st_dev == file_.st_dev;
  }
  std::optional<WallTime> pruned;

 private:
  StateTables tables_;
  struct stat file_ {};
};

Result<std::unique_ptr<StateDb>, std::string> StateDb::open(std::string path, Millis retention,
                                                            EventSink& sink, const Clock& clock,
                                                            StateLimits limits) {
  // A lock file of its own: SQLite's locks come and go with transactions, and readers (history) must not be
  // shut out.
  SD_TRY(lock_fd, lock_state(path));
  return std::unique_ptr<StateDb>(new StateDb(std::move(path), lock_fd, retention, sink, clock, limits));
}

StateDb::StateDb(std::string path, int lock_fd, Millis retention, EventSink& sink, const Clock& clock,
                 StateLimits limits)
    : path_(std::move(path)),
      lock_fd_(lock_fd),
      retention_(retention.count()),
      sink_(sink),
      clock_(clock),
      limits_(limits) {}

StateDb::~StateDb() {
  close();
  if (lock_fd_ >= 0) ::close(lock_fd_);
}

SavedState StateDb::load() {
  SavedState saved;
  look_for_the_last_one();
  if (open_connection()) {
    auto loaded = connection_->tables().load();
    if (loaded) {
      saved = std::move(*loaded);
    } else {
      connection_.reset();
      if (loaded.error().unusable()) {
        set_aside(loaded.error().text);
        open_connection();
      } else {
        note_failure("cannot read " + clean(path_) + ": " + loaded.error().text);
      }
    }
  }
  say_stopped(false);
  writer_ = std::jthread([this](const std::stop_token& stop) { write_loop(stop); });
  return saved;
}

/// A lock file that says so was left by a life that had a database.
void StateDb::look_for_the_last_one() {
  char mark = 0;
  const bool had_one = lock_fd_ >= 0 && ::pread(lock_fd_, &mark, 1, 0) == 1;
  if (!had_one || ::access(path_.c_str(), F_OK) == 0 || errno != ENOENT) return;
  set_aside("missing: the database of the last run is not there; begun anew");
}

/// Whether this life has said its last word: what is lost otherwise is a little counting.
void StateDb::say_stopped(bool stopped) {
  if (!connection_) return;
  auto& tables = connection_->tables();
  auto said = tables.transaction([&tables, stopped] { return tables.put_stopped(stopped); });
  if (!said) note_failure("cannot write " + clean(path_) + ": " + said.error().text);
}

bool StateDb::open_connection() {
  for (int attempt = 0; attempt < 2; ++attempt) {
    const auto ready = ready_state_file(path_);
    auto tables = ready ? StateTables::open(path_, limits_) : Err(ready.error());
    if (tables) {
      connection_ = std::make_unique<Connection>(std::move(*tables), path_);
      if (lock_fd_ >= 0)
        static_cast<void>(::pwrite(lock_fd_, "+", 1, 0) == 1);  // see look_for_the_last_one()
      return true;
    }
    if (!tables.error().unusable()) {
      note_failure("cannot use " + clean(path_) + ": " + tables.error().text);
      return false;
    }
    set_aside(tables.error().text);
  }
  return false;
}

/// Moves the database out of the way, with its WAL, and says so.
void StateDb::set_aside(const std::string& why) {
  set_aside_ = true;
  std::string stamp = format_rfc3339(clock_.wall());
  std::erase(stamp, ':');
  const std::string target = path_ + ".rejected-" + stamp;
  bool moved = false;
  for (const char* suffix : {"", "-wal", "-shm"}) {
    std::error_code error;
    std::filesystem::rename(path_ + suffix, target + suffix, error);
    if (error && *suffix == '\0' && error != std::errc::no_such_file_or_directory) {
      note_failure("cannot move " + clean(path_) + " aside: " + error.message());
      return;
    }
    moved = moved || !error;
  }
  tell_rejected(why, moved ? target : "");
}

void StateDb::tell_rejected(const std::string& why, const std::string& moved_to) {
  Event event{EventType::state_rejected, clock_.wall(), "", {{"path", clean(path_)}}};
  if (!moved_to.empty()) event.add("moved_to", clean(moved_to));
  event.add("reason", clean(why));
  sink_.on_event(event);
}

/// Tells the first of a row of failures; the gauge tells the rest.
void StateDb::note_failure(const std::string& what) {
  if (ok_.exchange(false)) tell_rejected(what, "");
}

/// `change` adds to what waits. The writer is woken by the first change only: it takes all of them.
template <class Change>
void StateDb::hand_in(Change change) {
  const std::scoped_lock lock(mutex_);
  const bool first = waiting_.empty();
  change();
  ++handed_in_;
  if (first) changed_.notify_all();
}

void StateDb::save(ImageRecord record, std::vector<Event> events) {
  hand_in([&] {
    const ImageId id = record.id;
    waiting_.images.insert_or_assign(id, std::move(record));
    waiting_.events.insert(waiting_.events.end(), std::make_move_iterator(events.begin()),
                           std::make_move_iterator(events.end()));
  });
}

void StateDb::forget(const ImageId& image) {
  hand_in([&] { waiting_.images.insert_or_assign(image, std::nullopt); });
}

void StateDb::add_event(const Event& event) {
  hand_in([&] { waiting_.events.push_back(event); });
}

void StateDb::set_fleet(const FleetRecord& fleet) {
  hand_in([&] { waiting_.fleet = fleet; });
}

void StateDb::set_discovered(std::vector<DiscoveredImage> images) {
  hand_in([&] { waiting_.discovered = std::move(images); });
}

void StateDb::set_retention(Millis retention) {
  retention_ = retention.count();
  prune_ = true;
}

void StateDb::write_loop(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  bool failing = false;
  auto next_write = std::chrono::steady_clock::now();
  while (true) {
    if (failing && !stop.stop_requested()) {
      changed_.wait_for(lock, stop, kRetryDelay, [this] { return flush_wanted_; });
    } else {
      changed_.wait(lock, stop, [this] { return !waiting_.empty() || flush_wanted_; });
      changed_.wait_until(lock, stop, next_write, [this] { return flush_wanted_; });
    }
    Batch batch = std::exchange(waiting_, Batch{});
    const std::uint64_t upto = handed_in_;
    lock.unlock();
    const bool written = batch.empty() || write(batch);
    next_write = std::chrono::steady_clock::now() + kBetweenWrites;
    lock.lock();
    failing = !written;
    if (failing) put_back(std::move(batch));
    written_ = upto;
    flush_wanted_ = false;
    changed_.notify_all();
    if (stop.stop_requested() && (failing || waiting_.empty())) break;
  }
  lock.unlock();
  if (!failing) say_stopped(true);
}

bool StateDb::write(Batch& batch) {
  if (connection_ && !connection_->is_at(path_)) {
    connection_.reset();
    set_aside_ = true;
    tell_rejected("missing: it was removed or replaced while in use", "");
  }
  if (!connection_ && !open_connection()) return false;
  const WallTime now = clock_.wall();
  StateTables& tables = connection_->tables();
  const bool prune =
      prune_.exchange(false) || !connection_->pruned || now - *connection_->pruned > kPruneEvery;
  auto done = tables.transaction([&]() -> sqlite::Status {
    for (const auto& [id, record] : batch.images) {
      if (auto put = record ? tables.put(*record) : tables.erase(id); !put) return put;
    }
    for (const Event& event : batch.events) {
      if (auto added = tables.add(event); !added) return added;
    }
    if (batch.fleet) {
      if (auto put = tables.put_fleet(*batch.fleet); !put) return put;
    }
    if (batch.discovered) {
      if (auto put = tables.put_discovered(*batch.discovered); !put) return put;
    }
    if (prune) {
      if (auto pruned = tables.prune(now - Millis{retention_.load()}); !pruned) return pruned;
    }
    if (auto running = tables.put_stopped(false); !running) return running;
    return tables.put_alive(now);
  });
  if (!done) {
    note_failure("cannot write " + clean(path_) + ": " + done.error().text);
    connection_.reset();  // the next try begins with a sound handle, or finds that the file is not
    return false;
  }
  if (prune) connection_->pruned = now;
  last_write_ = now.time_since_epoch().count();
  ok_ = true;
  return true;
}

/// The batch could not be written: it waits beneath what came meanwhile.
void StateDb::put_back(Batch batch) {
  batch.images.merge(waiting_.images);
  for (auto& [id, record] : waiting_.images)
    batch.images.insert_or_assign(id, std::move(record));  // newer ones win
  batch.events.insert(batch.events.end(), std::make_move_iterator(waiting_.events.begin()),
                      std::make_move_iterator(waiting_.events.end()));
  if (batch.events.size() > kMaxWaitingEvents) {
    batch.events.erase(batch.events.begin(),
                       batch.events.end() - static_cast<std::ptrdiff_t>(kMaxWaitingEvents));
  }
  if (waiting_.fleet) batch.fleet = waiting_.fleet;
  if (waiting_.discovered) batch.discovered = std::move(waiting_.discovered);
  waiting_ = std::move(batch);
}

bool StateDb::flush() {
  std::unique_lock lock(mutex_);
  if (!writer_.joinable()) return false;
  const std::uint64_t upto = handed_in_;
  flush_wanted_ = true;
  changed_.notify_all();
  changed_.wait(lock, [this, upto] { return written_ >= upto && !flush_wanted_; });
  return ok_.load();
}

void StateDb::close() {
  if (!writer_.joinable()) return;
  writer_.request_stop();
  writer_.join();
}

std::optional<WallTime> StateDb::last_write() const {
  const WallTime::rep millis = last_write_.load();
  return millis == 0 ? std::nullopt : std::optional(WallTime{Millis{millis}});
}

}  // namespace sharedrift

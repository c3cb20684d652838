#include "store/sqlite.hpp"

#include "core/text.hpp"

#include <array>
#include <ctime>

namespace sharedrift::sqlite {

namespace {

Error error_of(sqlite3* handle) {
  if (handle == nullptr) return {SQLITE_NOMEM, "out of memory"};
  Error error{sqlite3_extended_errcode(handle), clean(sqlite3_errmsg(handle))};
  if (error.code == SQLITE_INTERRUPT) error.text = "reading it takes too long";
  if (error.unusable()) error.text = "damaged: " + error.text;
  return error;
}

std::chrono::nanoseconds work_of_this_thread() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
}

/// What SQLite's makers advise for files from others (sqlite.org/security.html).
void distrust(sqlite3* handle) {
  constexpr std::array kOff{SQLITE_DBCONFIG_TRUSTED_SCHEMA, SQLITE_DBCONFIG_ENABLE_TRIGGER,
                            SQLITE_DBCONFIG_ENABLE_VIEW};
  for (const int feature : kOff)
    sqlite3_db_config(handle, feature, 0, nullptr);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  constexpr std::array kLimits{std::pair{SQLITE_LIMIT_LENGTH, 1 << 20},
                               std::pair{SQLITE_LIMIT_SQL_LENGTH, 1 << 16},
                               std::pair{SQLITE_LIMIT_COLUMN, 100}, std::pair{SQLITE_LIMIT_ATTACHED, 0}};
  for (const auto& [limit, value] : kLimits)
    sqlite3_limit(handle, limit, value);
  constexpr sqlite3_int64 kMostMemory = 64 << 20;
  sqlite3_hard_heap_limit64(kMostMemory);
}

std::string immutable_uri(const std::string& path) {
  std::string uri = "file:";
  for (const char c : path) {
    if (c == '?' || c == '#' || c == '%') {
      uri += c == '?' ? "%3F" : c == '#' ? "%23" : "%25";
    } else {
      uri += c;
    }
  }
  return uri + "?immutable=1";
}

}  // namespace

bool Error::unusable() const {
  const int primary = code & 0xFF;
  return primary == SQLITE_CORRUPT || primary == SQLITE_NOTADB || primary == SQLITE_ERROR ||
         primary == SQLITE_TOOBIG || primary == SQLITE_NOMEM || primary == SQLITE_INTERRUPT;
}

void Statement::bind(int index, std::string_view value) {
  sqlite3_bind_text(statement_.get(), index, value.data(), static_cast<int>(value.size()), SQLITE_TRANSIENT);
}
void Statement::bind(int index, std::optional<WallTime> value) {
  if (value) return bind(index, value->time_since_epoch().count());
  sqlite3_bind_null(statement_.get(), index);
}

Result<bool, Error> Statement::step() {
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  std::optional<Error> error;
  if (code != SQLITE_DONE) error = error_of(sqlite3_db_handle(statement_.get()));
  sqlite3_reset(statement_.get());  // holds no lock any more
  if (error) return Err(std::move(*error));
  return false;
}

std::string_view Statement::text(int column) const {
  const auto* data = sqlite3_column_text(statement_.get(), column);
  if (data == nullptr) return {};
  return {reinterpret_cast<const char*>(data),
          static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column))};
}

std::optional<WallTime> Statement::time(int column) const {
  if (sqlite3_column_type(statement_.get(), column) == SQLITE_NULL) return std::nullopt;
  return WallTime{Millis{integer(column)}};
}

Result<Database, Error> Database::open(const std::string& path, Mode mode) {
  sqlite3* handle = nullptr;
  const bool immutable = mode == Mode::immutable;
  int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  flags |= mode == Mode::read_write ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READONLY;
  if (immutable) flags |= SQLITE_OPEN_URI;
  const int code = sqlite3_open_v2((immutable ? immutable_uri(path) : path).c_str(), &handle, flags, nullptr);
  Database database(handle);  // even a failed open leaves a handle to close
  if (code != SQLITE_OK) return Err(error_of(handle));
  constexpr int kBusyMillis = 2000;
  sqlite3_busy_timeout(handle, kBusyMillis);
  distrust(handle);
  return database;
}

void Database::limit_work(std::optional<Millis> most) {
  constexpr int kStepsBetweenLooks = 10'000;
  const auto is_over = [](void* ends) {
    return work_of_this_thread() > *static_cast<const std::chrono::nanoseconds*>(ends) ? 1 : 0;
  };
  sqlite3_progress_handler(handle_.get(), 0, nullptr, nullptr);
  work_ends_.reset();
  if (!most) return;
  auto ends = std::make_unique<std::chrono::nanoseconds>(work_of_this_thread() + *most);
  sqlite3_progress_handler(handle_.get(), kStepsBetweenLooks, is_over, ends.get());
  work_ends_ = std::move(ends);
}

Status Database::execute(const std::string& sql) {
  if (sqlite3_exec(handle_.get(), sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK)
    return Err(error_of(handle_.get()));
  return Unit{};
}

Result<Statement*, Error> Database::prepared(std::string_view sql) {
  auto found = cache_.find(sql);
  if (found == cache_.end()) {
    sqlite3_stmt* statement = nullptr;
    if (sqlite3_prepare_v2(handle_.get(), sql.data(), static_cast<int>(sql.size()), &statement, nullptr) !=
        SQLITE_OK) {
      return Err(error_of(handle_.get()));
    }
    found = cache_.emplace(sql, Statement{statement}).first;
  }
  return &found->second;
}

Result<std::int64_t, Error> Database::number(std::string_view sql) {
  std::int64_t answer = 0;
  auto done = each(sql, [&answer](const Statement& row) { answer = row.integer(0); });
  if (!done) return Err(std::move(done).error());
  return answer;
}

Result<std::string, Error> Database::word(std::string_view sql) {
  std::string answer;
  auto done = each(sql, [&answer](const Statement& row) { answer = row.text(0); });
  if (!done) return Err(std::move(done).error());
  return answer;
}

}  // namespace sharedrift::sqlite

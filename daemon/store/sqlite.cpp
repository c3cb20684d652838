#include "store/sqlite.hpp"

#include "core/text.hpp"

#include <utility>

namespace sharedrift::sqlite {

Statement& Statement::bind(int index, std::int64_t value) {
  sqlite3_bind_int64(statement_.get(), index + 1, value);
  return *this;
}
Statement& Statement::bind(int index, std::string_view value) {
  sqlite3_bind_text(statement_.get(), index + 1, value.data(), static_cast<int>(value.size()),
                    SQLITE_TRANSIENT);
  return *this;
}
Statement& Statement::bind(int index, std::optional<WallTime> value) {
  if (value) return bind(index, value->time_since_epoch().count());
  sqlite3_bind_null(statement_.get(), index + 1);
  return *this;
}

Result<bool, Error> Statement::step() {
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  return Err(error());
}

Status Statement::run() {
  auto stepped = step();
  reset();
  if (!stepped) return Err(std::move(stepped).error());
  return Unit{};
}

void Statement::reset() {
  sqlite3_reset(statement_.get());
  sqlite3_clear_bindings(statement_.get());
}

std::string_view Statement::view(int column) const {
  const auto* data = sqlite3_column_text(statement_.get(), column);
  if (data == nullptr) return {};
  return {reinterpret_cast<const char*>(data),
          static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column))};
}

std::optional<WallTime> Statement::time(int column) const {
  if (sqlite3_column_type(statement_.get(), column) == SQLITE_NULL) return std::nullopt;
  return WallTime{Millis{integer(column)}};
}

Error Statement::error() const {
  sqlite3* handle = sqlite3_db_handle(statement_.get());
  return {sqlite3_errcode(handle), clean(sqlite3_errmsg(handle))};
}

namespace {

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

Result<Database, Error> Database::open(const std::string& path, Mode mode) {
  sqlite3* handle = nullptr;
  const bool immutable = mode == Mode::immutable;
  int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  flags |= mode == Mode::read_write ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READONLY;
  if (immutable) flags |= SQLITE_OPEN_URI;
  const int code = sqlite3_open_v2((immutable ? immutable_uri(path) : path).c_str(), &handle, flags, nullptr);
  Database database(handle);  // even a failed open leaves a handle to close
  if (code != SQLITE_OK) return Err(database.error());
  constexpr int kBusyMillis = 2000;
  sqlite3_busy_timeout(handle, kBusyMillis);
  return database;
}

Status Database::execute(const char* sql) {
  if (sqlite3_exec(handle_.get(), sql, nullptr, nullptr, nullptr) != SQLITE_OK) return Err(error());
  return Unit{};
}

Result<Statement, Error> Database::prepare(std::string_view sql) {
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v2(handle_.get(), sql.data(), static_cast<int>(sql.size()), &statement, nullptr) !=
      SQLITE_OK) {
    return Err(error());
  }
  return Statement{statement};
}

Result<Statement*, Error> Database::cached(std::string_view sql) {
  const auto found = cache_.find(sql);
  if (found != cache_.end()) {
    found->second.reset();
    return &found->second;
  }
  SD_TRY(statement, prepare(sql));
  return &cache_.emplace(sql, std::move(statement)).first->second;
}

Result<std::int64_t, Error> Database::number(std::string_view sql) {
  SD_TRY(statement, prepare(sql));
  SD_TRY(row, statement.step());
  return row ? statement.integer(0) : 0;
}

Result<std::string, Error> Database::word(std::string_view sql) {
  SD_TRY(statement, prepare(sql));
  SD_TRY(row, statement.step());
  return row ? statement.text(0) : std::string{};
}

Error Database::error() const {
  if (!handle_) return {SQLITE_NOMEM, "out of memory"};
  return {sqlite3_extended_errcode(handle_.get()), clean(sqlite3_errmsg(handle_.get()))};
}

}  // namespace sharedrift::sqlite

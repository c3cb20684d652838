#pragma once

#include "core/result.hpp"
#include "core/time.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <sqlite3.h>

namespace sharedrift::sqlite {

/// What SQLite said; clean text with the result code's name.
struct Error {
  int code = 0;
  std::string text;
};
using Status = Result<Unit, Error>;

/// A prepared statement. Parameters and columns count from 0. Not thread-safe.
class Statement {
 public:
  explicit Statement(sqlite3_stmt* statement) : statement_(statement) {}

  Statement& bind(int index, std::int64_t value);
  Statement& bind(int index, std::string_view value);  ///< copied
  Statement& bind(int index, std::optional<WallTime> value);
  /// True: a row is there. False: no more.
  Result<bool, Error> step();
  /// For statements without rows; leaves the statement ready for the next bind().
  Status run();
  void reset();

  [[nodiscard]] std::int64_t integer(int column) const {
    return sqlite3_column_int64(statement_.get(), column);
  }
  [[nodiscard]] std::string text(int column) const { return std::string{view(column)}; }
  /// The same without a copy: until the next step() or reset().
  [[nodiscard]] std::string_view view(int column) const;
  [[nodiscard]] std::optional<WallTime> time(int column) const;

 private:
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
  };
  [[nodiscard]] Error error() const;
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

/// One connection. Not thread-safe.
class Database {
 public:
  /// immutable: nobody writes the file meanwhile, so nothing is asked of its directory.
  enum class Mode { immutable, read_only, read_write };
  /// Opens (and, for read_write, creates) the file.
  static Result<Database, Error> open(const std::string& path, Mode mode);

  Status execute(const char* sql);
  Result<Statement, Error> prepare(std::string_view sql);
  /// Prepares `sql` once and keeps it; `sql` must outlive the connection (a literal). The statement comes
  /// back reset.
  Result<Statement*, Error> cached(std::string_view sql);
  /// The single integer a pragma or query answers with; 0 if it answers nothing.
  Result<std::int64_t, Error> number(std::string_view sql);
  Result<std::string, Error> word(std::string_view sql);

 private:
  struct Close {
    void operator()(sqlite3* handle) const { sqlite3_close_v2(handle); }
  };
  explicit Database(sqlite3* handle) : handle_(handle) {}
  [[nodiscard]] Error error() const;
  std::unique_ptr<sqlite3, Close> handle_;
  std::map<std::string_view, Statement> cache_;  ///< declared after the handle: finalized before it closes
};

}  // namespace sharedrift::sqlite

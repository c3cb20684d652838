#pragma once

#include "core/result.hpp"
#include "core/time.hpp"

#include <chrono>
#include <concepts>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <sqlite3.h>

namespace sharedrift::sqlite {

struct Error {
  int code = 0;  ///< SQLite's, extended
  std::string text;
  /// The file itself is damaged, foreign, too large or lacks a table: not a matter of disk, locks or rights.
  [[nodiscard]] bool unusable() const;
};
using Status = Result<Unit, Error>;
/// What is wrong with the file, in words.
inline Err<Error> unusable_file(std::string text) {
  return Err(Error{SQLITE_NOTADB, std::move(text)});
}

/// A prepared statement. Parameters and columns count from 0. Not thread-safe.
class Statement {
 public:
  explicit Statement(sqlite3_stmt* statement) : statement_(statement) {}

  /// Makes it ready to step through the rows for these parameters. Text is copied.
  template <class... Values>
  void begin(const Values&... values) {
    sqlite3_reset(statement_.get());
    int index = 0;
    (bind(++index, values), ...);
  }
  /// True: a row is there. False: no more.
  Result<bool, Error> step();

  [[nodiscard]] std::int64_t integer(int column) const {
    return sqlite3_column_int64(statement_.get(), column);
  }
  /// Until the next step() or begin().
  [[nodiscard]] std::string_view text(int column) const;
  [[nodiscard]] std::optional<WallTime> time(int column) const;

 private:
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
  };
  template <std::integral Number>
  void bind(int index, Number value) {
    sqlite3_bind_int64(statement_.get(), index, static_cast<sqlite3_int64>(value));
  }
  void bind(int index, std::string_view value);
  void bind(int index, std::optional<WallTime> value);

  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

/// One connection. Not thread-safe. All SQL is literals: a statement is prepared once and kept.
///
/// The file is not trusted. Its views and triggers do not work, its SQL may call nothing with side effects, a
/// value has at most 1 MiB, and all of SQLite's memory in this process is bounded: more is an error.
class Database {
 public:
  /// immutable: nobody writes the file meanwhile, so nothing is asked of its directory.
  enum class Mode { immutable, read_only, read_write };
  /// Opens (and, for read_write, creates) the file.
  static Result<Database, Error> open(const std::string& path, Mode mode);

  /// From now on statements fail once this thread has worked so long, waiting not counted; none: no limit.
  void limit_work(std::optional<Millis> most);
  /// Any number of statements without parameters; their rows are not wanted.
  Status execute(const std::string& sql);
  /// One statement without rows.
  template <class... Values>
  Status run(std::string_view sql, const Values&... values) {
    return each(
        sql, [](const Statement& /*row*/) {}, values...);
  }
  /// Calls `row` for each row of the answer. It returns nothing, or a Status of which an error ends it.
  template <class Row, class... Values>
  Status each(std::string_view sql, Row row, const Values&... values) {
    SD_TRY(statement, prepared(sql));
    statement->begin(values...);
    while (true) {
      SD_TRY(more, statement->step());
      if (!more) return Unit{};
      if constexpr (std::is_void_v<std::invoke_result_t<Row, const Statement&>>) {
        row(std::as_const(*statement));
      } else if (Status done = row(std::as_const(*statement)); !done) {
        statement->begin();  // holds no lock any more
        return done;
      }
    }
  }
  /// The single integer a pragma or query answers with; 0 if it answers nothing.
  Result<std::int64_t, Error> number(std::string_view sql);
  /// The same, of text.
  Result<std::string, Error> word(std::string_view sql);

 private:
  struct Close {
    void operator()(sqlite3* handle) const { sqlite3_close_v2(handle); }
  };
  explicit Database(sqlite3* handle) : handle_(handle) {}
  Result<Statement*, Error> prepared(std::string_view sql);

  std::unique_ptr<const std::chrono::nanoseconds> work_ends_;  ///< of the thread's CPU time
  std::unique_ptr<sqlite3, Close> handle_;
  std::map<std::string_view, Statement> cache_;  ///< declared after the handle: finalized before it closes
};

}  // namespace sharedrift::sqlite

#include "store/state_schema.hpp"

#include "core/text.hpp"

#include <algorithm>
#include <cstddef>
#include <set>
#include <string>
#include <string_view>
#include <utility>

namespace sharedrift {

namespace {

using sqlite::Database;
using sqlite::Statement;
using sqlite::Status;

/// Releases and SQLite's ALTER TABLE break lines in different places.
std::string without_needless_blanks(std::string_view sql) {
  constexpr std::string_view kBlanks = " \t\r\n";
  constexpr std::string_view kNeedNone = "(),";
  std::string out;
  bool blank = false;
  for (const char c : sql) {
    if (kBlanks.find(c) != std::string_view::npos) {
      blank = true;
      continue;
    }
    const bool separates = !out.empty() && kNeedNone.find(c) == std::string_view::npos &&
                           kNeedNone.find(out.back()) == std::string_view::npos;
    if (std::exchange(blank, false) && separates) out += ' ';
    out += c;
  }
  return out;
}

/// Type, name and SQL of everything in it.
Result<std::set<std::string>, sqlite::Error> objects_of(Database& database) {
  constexpr std::size_t kMost = 100;
  std::set<std::string> found;
  auto done =
      database.each("SELECT type, name, sql FROM sqlite_master", [&found](const Statement& row) -> Status {
        if (found.size() == kMost) return sqlite::unusable_file("foreign: it has too many tables");
        found.insert(std::string(row.text(0)) + " " + std::string(row.text(1)) + " " +
                     without_needless_blanks(row.text(2)));
        return Unit{};
      });
  if (!done) return Err(std::move(done).error());
  return found;
}

}  // namespace

Status check_schema(Database& database, std::span<const char* const> migrations) {
  SD_TRY(model, Database::open(":memory:", Database::Mode::read_write));
  for (const char* migration : migrations) {
    if (auto done = model.execute(migration); !done) return done;
  }
  SD_TRY(ours, objects_of(model));
  SD_TRY(theirs, objects_of(database));
  const auto foreign = [&ours = ours](const std::string& object) { return !ours.contains(object); };
  const auto odd = std::find_if(theirs.begin(), theirs.end(), foreign);
  if (odd != theirs.end()) return sqlite::unusable_file("foreign: it has the " + clean(*odd, 100));
  if (theirs != ours) return sqlite::unusable_file("damaged: a table or an index is missing");
  return Unit{};
}

}  // namespace sharedrift

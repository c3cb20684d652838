/// A state database that somebody changed: read or set aside, never the end of the daemon, and what comes
/// after is kept. The input is a list of changes to a sound database: rows, values, schema, pragmas, bytes of
/// the file.
#include "fuzz.hpp"
#include "store/state_life.hpp"

#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>

#include <sqlite3.h>

namespace sharedrift::fuzz {
namespace {

using testing::Life;

/// A sound database, as bytes.
std::string sound(const testing::TempDir& directory) {
  const std::string path = directory.file("sound.db");
  {
    Life life(path);
    for (const char* id : {"m-1", "m-2", "m-3"})
      life.db->save(testing::a_record(id), {testing::an_event(id, testing::kStart)});
    life.db->set_fleet({{1, 2, 3, 4, 5}, testing::kStart});
  }
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

/// One change to the file: a letter says which, the rest what. Most are SQL, without any of the daemon's
/// caution.
class Change {
 public:
  explicit Change(std::string field) : field_(std::move(field)) {}

  void make(const std::string& path) const {
    if (field_.size() < 2) return;
    const std::string rest = field_.substr(1);
    switch (field_.front()) {
      case 'u': return run(path, "UPDATE OR REPLACE " + column() + "=" + literal());
      case 'i': return run(path, "INSERT OR REPLACE INTO " + row());
      case 'd': return run(path, "DELETE FROM " + table());
      case 'p':
        return run(path, "PRAGMA " + std::string(kPragmas.at(pick(kPragmas.size()))) + "=" + number());
      case 's': return run(path, kSchemas.at(pick(kSchemas.size())));
      case 'q': return run(path, rest);
      default: return patch(path);
    }
  }

 private:
  static constexpr std::array<const char*, 4> kPragmas{"user_version", "application_id", "encoding",
                                                       "schema_version"};
  static constexpr std::array<const char*, 6> kTables{"images", "sightings", "absences",
                                                      "drifts", "meta",      "events"};
  static constexpr std::array<const char*, 16> kColumns{
      "images SET id",           "images SET state",        "images SET last_complete",
      "images SET listings",     "images SET had_accounts", "images SET shared_accounts",
      "sightings SET image",     "sightings SET account",   "sightings SET first_seen",
      "sightings SET last_seen", "absences SET absences",   "absences SET account",
      "drifts SET kind",         "drifts SET account",      "meta SET value",
      "events SET fields"};
  static constexpr std::array<const char*, 6> kSchemas{
      "CREATE VIEW v AS SELECT 1",
      "CREATE TRIGGER t AFTER INSERT ON images BEGIN DELETE FROM images; END",
      "CREATE INDEX i ON drifts(since)",
      "DROP INDEX events_at",
      "ALTER TABLE sightings ADD COLUMN x",
      "DROP TABLE drifts"};

  [[nodiscard]] std::size_t byte(std::size_t at) const {
    return at < field_.size() ? static_cast<unsigned char>(field_[at]) : 0;
  }
  [[nodiscard]] std::size_t pick(std::size_t of) const { return byte(1) % of; }
  [[nodiscard]] std::string table() const { return kTables.at(pick(kTables.size())); }
  [[nodiscard]] std::string column() const { return kColumns.at(pick(kColumns.size())); }
  [[nodiscard]] std::string number() const {
    std::int64_t value = 0;
    for (std::size_t i = 3; i < 11; ++i)
      value = static_cast<std::int64_t>(static_cast<std::uint64_t>(value) << 8U | byte(i));
    return std::to_string(value);
  }
  [[nodiscard]] std::string hex() const {
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::string out;
    for (std::size_t i = 3; i < field_.size(); ++i) {
      out += kDigits[byte(i) >> 4U];
      out += kDigits[byte(i) & 0xFU];
    }
    return "x'" + out + "'";
  }
  [[nodiscard]] std::string literal() const {
    switch (byte(2) % 4) {
      case 0: return number();
      case 1: return "CAST(" + hex() + " AS TEXT)";
      case 2: return hex();
      default: return "1e308";
    }
  }
  [[nodiscard]] std::string row() const {
    switch (byte(1) % 4) {
      case 0: return "sightings VALUES('m-9'," + literal() + ",0," + number() + ",0,NULL)";
      case 1: return "drifts VALUES(" + literal() + ",'15','unexpected'," + number() + ",1)";
      case 2: return "absences VALUES('m-1'," + literal() + "," + number() + ",NULL," + number() + ")";
      default: return "meta VALUES(" + literal() + "," + number() + ")";
    }
  }
  static void run(const std::string& path, const std::string& sql) {
    sqlite3* handle = nullptr;
    constexpr int kMostSteps = 100'000;
    if (sqlite3_open(path.c_str(), &handle) == SQLITE_OK) {
      sqlite3_progress_handler(
          handle, kMostSteps, [](void*) { return 1; }, nullptr);
      sqlite3_exec(handle, "PRAGMA synchronous=OFF", nullptr, nullptr, nullptr);
      sqlite3_exec(handle, sql.c_str(), nullptr, nullptr, nullptr);
    }
    sqlite3_close(handle);
  }
  void patch(const std::string& path) const {
    std::error_code ignored;
    const auto size = std::filesystem::file_size(path, ignored);
    if (ignored || size == 0) return;
    const std::size_t at = (byte(1) << 16U | byte(2) << 8U | byte(3)) % size;
    std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
    file.seekp(static_cast<std::streamoff>(at));
    file << (field_.size() > 4 ? field_.substr(4) : std::string(1, '\0'));
  }

  std::string field_;
};

void check(std::string_view bytes) {
  static const testing::TempDir directory;
  static const std::string original = sound(directory);
  const std::string path = directory.file("state.db");
  for (const auto& entry : std::filesystem::directory_iterator(directory.path())) {
    if (entry.path().filename().string().starts_with("state.db")) std::filesystem::remove(entry.path());
  }
  std::ofstream(path, std::ios::binary) << original;
  Fields fields(bytes);
  constexpr int kMostChanges = 8;
  for (int i = 0; i < kMostChanges && !fields.rest().empty(); ++i)
    Change(fields.next()).make(path);
  {
    Life life(path);
    const std::size_t told = life.sink.events.size();
    require(told <= 1, "a file is set aside once");
    require(life.db->ok() == (told == 0), "whether it is sound is said");
    for (const ImageRecord& image : life.saved.images) {
      for (const Absence& absence : image.absences)
        require(absence.absences >= 0, "nothing counts backwards");
      require(image.last_complete.value_or(WallTime{}) >= WallTime{}, "times are times");
    }
    life.db->save(testing::a_record("m-after"), {});
    require(life.db->flush() || told == 0, "a new file can be written");
  }
  const Life next(path);
  bool kept = false;
  for (const ImageRecord& image : next.saved.images)
    kept = kept || image.id.str() == "m-after";
  require(kept || !next.sink.events.empty(), "what came after is kept, or its loss is said");
  const auto events = read_events(path, {});
  if (!events) require_one_line(events.error(), "a refusal is one line");
}

}  // namespace
}  // namespace sharedrift::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  sharedrift::fuzz::check(sharedrift::fuzz::as_text(data, size));
  return 0;
}

#include "app/app.hpp"
#include "app/make_profile_access.hpp"
#include "app/output.hpp"
#include "app/version.hpp"
#include "doctor/report.hpp"
#include "http_client/curl_transport.hpp"
#include "os/system_clock.hpp"
#include "os/system_random.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <optional>
#include <utility>

#include <fcntl.h>

namespace sharedrift {

namespace {

constexpr int kUnwritten = 1;

/// The profile that is meant: the one asked for, or the only one.
const ProfileConfig* find_profile(const Config& config, const std::string& name) {
  if (name.empty()) return config.profiles.size() == 1 ? &config.profiles.front() : nullptr;
  const auto found = std::find_if(config.profiles.begin(), config.profiles.end(),
                                  [&name](const ProfileConfig& p) { return p.name == name; });
  return found == config.profiles.end() ? nullptr : &*found;
}

/// A new file for its owner, which takes the place of the one that is meant when it is whole. Nothing that
/// lies there is written through.
class ReportFile {
 public:
  explicit ReportFile(std::string path) : path_(std::move(path)), fresh_(path_ + ".XXXXXX") {
    const int fd = ::mkostemp(fresh_.data(), O_CLOEXEC);
    file_ = fd < 0 ? nullptr : ::fdopen(fd, "w");
    error_ = file_ == nullptr ? errno : 0;
  }
  ReportFile(const ReportFile&) = delete;
  ReportFile& operator=(const ReportFile&) = delete;
  ~ReportFile() {
    if (file_ == nullptr) return;
    (void)std::fclose(file_);
    (void)std::remove(fresh_.c_str());
  }

  /// Errno; 0: it can be written.
  [[nodiscard]] int error() const { return error_; }
  /// Errno, or 0.
  int write(const std::string& text) {
    const bool written = std::fwrite(text.data(), 1, text.size(), file_) == text.size();
    const int error = errno;
    const bool closed = std::fclose(std::exchange(file_, nullptr)) == 0;
    const int why = !written ? error : closed && std::rename(fresh_.c_str(), path_.c_str()) == 0 ? 0 : errno;
    if (why != 0) (void)std::remove(fresh_.c_str());
    return why;
  }

 private:
  std::string path_;
  std::string fresh_;
  std::FILE* file_ = nullptr;
  int error_ = 0;
};

/// Ids of the config that have no form by which they are known.
std::set<std::string> known_ids(const Config& config) {
  std::set<std::string> ids;
  for (const auto& policy : config.images)
    ids.insert(policy->id.str());
  for (const auto& [account, name] : config.account_names)
    ids.insert(std::string{account.str()});
  return ids;
}

}  // namespace

int doctor(const Options& options, const Config& config, const std::stop_token& stop) {
  const ProfileConfig* const profile = find_profile(config, options.profile);
  if (profile == nullptr) {
    std::string names;
    for (const ProfileConfig& p : config.profiles)
      names += (names.empty() ? "" : ", ") + p.name;
    return refuse("doctor meets one profile: name one of " + names + " with --profile");
  }
  std::optional<ReportFile> report;
  if (!options.report_file.empty() && report.emplace(options.report_file).error() != 0) {
    return refuse("--report: " + options.report_file + ": " + std::strerror(report->error()));
  }
  SystemClock clock;
  SystemRandom random;
  CurlTransport transport;
  DoctorSession session(
      *profile, make_profile_access(*profile, clock, random, nullptr, [&transport] { transport.wake(); }),
      clock, random, transport);
  const std::string image = options.images.empty() ? "" : options.images.front().str();
  const Examination found = examine(config, image, session, stop);
  const bool watches = !config.images.empty() || !config.discover.empty();
  print(doctor_text(found, "profile " + profile->name + ", " + profile->endpoint,
                    watches ? "share-drift-exporter check"
                            : "share-drift-exporter baseline --all, which writes the images"));
  if (!report) return exit_code(found);
  std::set<std::string> known = known_ids(config);
  if (!image.empty()) known.insert(image);
  const int error = report->write(doctor_json(found, known, program_version(), clock.wall()));
  if (error == 0) return exit_code(found);
  return refuse("the report could not be written whole: " + options.report_file + ": " + std::strerror(error),
                kUnwritten);
}

}  // namespace sharedrift

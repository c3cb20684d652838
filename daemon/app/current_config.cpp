#include "app/current_config.hpp"

#include "app/config_references.hpp"
#include "config/config_files.hpp"
#include "config/config_loader.hpp"
#include "os/system_clock.hpp"

#include <utility>

namespace sharedrift {

namespace {

std::string fingerprint(const Result<ConfigFiles, std::vector<Diagnostic>>& files) {
  return files ? hash_of(files->files) + to_lines(files->untrusted) : to_lines(files.error());
}

}  // namespace

Result<CurrentConfig::Ptr, std::vector<Diagnostic>> CurrentConfig::load() {
  auto files = read_config_files(options_.config_files);
  tried_ = fingerprint(files);
  SD_TRY(read, std::move(files));
  if (!options_.trust_file_mode && !read.untrusted.empty()) {
    for (Diagnostic& fault : read.untrusted)
      fault.warning = false;
    return Err(std::move(read.untrusted));
  }
  untrusted_ = std::move(read.untrusted);
  SD_TRY(config, parse_config(read.files));
  LintReport references = check_references(config, read.files, SystemClock().wall());
  if (!references.errors.empty()) return Err(std::move(references.errors));
  doubts_ = std::move(references.warnings);
  return std::make_shared<const Config>(std::move(config));
}

bool CurrentConfig::changed() const {
  return fingerprint(read_config_files(options_.config_files)) != tried_;
}

CurrentConfig::Ptr CurrentConfig::in_force() const {
  const std::scoped_lock lock(mutex_);
  return in_force_;
}

void CurrentConfig::set(Ptr config) {
  const std::scoped_lock lock(mutex_);
  in_force_ = std::move(config);
}

}  // namespace sharedrift

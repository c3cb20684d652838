#include "log/event_log.hpp"

#include <vector>

namespace sharedrift {

void EventLog::on_event(const Event& event) noexcept try {
  const Level level = spec(event.type).level;
  if (!logger_.enabled(level)) return;
  std::vector<Field> fields;
  fields.reserve(event.fields.size() + 1);
  if (!event.image_id.empty()) fields.push_back({"image_id", event.image_id});
  fields.insert(fields.end(), event.fields.begin(), event.fields.end());
  logger_.log_at(event.at, level, to_string(event.type), fields);
} catch (...) {  // out of memory: the bare name is better than nothing
  logger_.log_at(event.at, spec(event.type).level, to_string(event.type), {});
}

void EventLog::record(const Event& event) noexcept {
  on_event(event);
  if (store_ != nullptr) store_->add_event(event);
}

}  // namespace sharedrift

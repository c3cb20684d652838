#include "config/baseline_writer.hpp"

#include "config/config_keys.hpp"
#include "config/yaml_emit.hpp"
#include "config/yaml_reader.hpp"
#include "core/policy.hpp"
#include "core/text.hpp"

#include <algorithm>
#include <optional>

namespace sharedrift {

namespace {

/// Account ids are keys: quoted, no reader takes one for a number.
void copy_key(YAML::Emitter& out, std::string_view key) {
  out << YAML::Key;
  if (AccountId::parse(key)) out << YAML::DoubleQuoted;
  out << std::string(key) << YAML::Value;
}

/// A value as the file has it, quotes kept; what is deeper in it than `levels` stands in one line.
void copy(YAML::Emitter& out, const YamlReader& reader, const Place& at, int levels = 0) {
  const auto style = levels > 0 ? YAML::Block : YAML::Flow;
  switch (reader.kind(at)) {
    case YamlKind::scalar:
      if (!reader.is_plain(at)) out << YAML::DoubleQuoted;
      out << std::string(reader.raw(at));
      break;
    case YamlKind::sequence:
      out << style << YAML::BeginSeq;
      reader.each_item(at, [&](const Place& item) { copy(out, reader, item, levels - 1); });
      out << YAML::EndSeq;
      break;
    case YamlKind::map:
      out << style << YAML::BeginMap;
      reader.each_entry(at, [&](std::string_view key, const Place& value) {
        copy_key(out, key);
        copy(out, reader, value, levels - 1);
      });
      out << YAML::EndMap;
      break;
    case YamlKind::null:
    case YamlKind::refused: out << YAML::Null;
  }
}

/// Nobody answers for them yet.
void write_new_exceptions(YAML::Emitter& out, const std::vector<AccountId>& added,
                          const std::string& expires) {
  for (const AccountId& account : added) {
    out << YAML::Flow << YAML::BeginMap;
    emit::text(out, "account", account.str());
    emit::plain(out, "expires", expires);
    for (const char* key : {"owner", "ticket", "reason"})
      out << YAML::Key << key << YAML::Value << YAML::DoubleQuoted << "";
    out << YAML::EndMap;
  }
}

/// The exceptions that stand in the file, but for those that have ended and are new again, and the new ones.
void copy_exceptions(YAML::Emitter& out, const YamlReader& reader, const std::optional<Place>& list,
                     const std::vector<AccountId>& added, const std::string& expires) {
  out << YAML::Key << "exceptions" << YAML::Value << YAML::BeginSeq;
  const auto is_new = [&](const Place& exception) {
    bool found = false;
    reader.each_entry(exception, [&](std::string_view key, const Place& value) {
      const auto account = AccountId::parse(reader.raw(value));
      found = found ||
              (key == "account" && account && std::find(added.begin(), added.end(), *account) != added.end());
    });
    return found;
  };
  if (list) {
    reader.each_item(*list, [&](const Place& exception) {
      if (!is_new(exception)) copy(out, reader, exception);
    });
  }
  write_new_exceptions(out, added, expires);
  out << YAML::EndSeq;
}

/// An image that no file names, with all that its rule gives it.
void write_found(YAML::Emitter& out, const ImagePolicy& image, Millis usual, const NewExceptions& added) {
  out << YAML::BeginMap;
  emit::text(out, "id", image.id.str());
  if (!find_unseen(image.name)) emit::text(out, "name", image.name);
  emit::text(out, "team", image.team);
  emit::text(out, "severity", image.severity);
  const ImagePolicy plain{image.id};
  if (image.profile != plain.profile) emit::text(out, "profile", image.profile);
  if (image.interval != usual) emit::duration(out, "interval", image.interval);
  if (!image.required.empty()) emit::accounts(out, "required", image.required);
  emit::accounts(out, "allowed", image.allowed);
  const auto shared = added.accounts.find(image.id);
  const auto news = shared == added.accounts.end() ? std::vector<AccountId>{} : shared->second;
  if (!image.exceptions.empty() || !news.empty()) {
    out << YAML::Key << "exceptions" << YAML::Value << YAML::BeginSeq;
    for (const Exception& e : image.exceptions) {
      if (std::find(news.begin(), news.end(), e.account) == news.end()) emit::exception(out, e);
    }
    write_new_exceptions(out, news, added.expires);
    out << YAML::EndSeq;
  }
  out << YAML::EndMap;
}

void copy_image(YAML::Emitter& out, const YamlReader& reader, const Place& image,
                const std::vector<AccountId>& added, const std::string& expires) {
  std::optional<Place> exceptions;
  out << YAML::BeginMap;
  reader.each_entry(image, [&](std::string_view key, const Place& value) {
    if (key == "exceptions") {
      exceptions = value;
      return;
    }
    out << YAML::Key << std::string(key) << YAML::Value;
    copy(out, reader, value);
  });
  if (exceptions || !added.empty()) copy_exceptions(out, reader, exceptions, added, expires);
  out << YAML::EndMap;
}

void copy_images(YAML::Emitter& out, YamlReader& reader, const Fields& root, const NewExceptions& added) {
  root.with("images", [&](const Place& images) {
    reader.each_item(images, [&](const Place& image) {
      const auto at = Fields(reader, image, kImageKeys).find("id");
      const auto id = at ? ImageId::parse(reader.raw(*at)) : std::nullopt;
      const auto found = id ? added.accounts.find(*id) : added.accounts.end();
      if (found != added.accounts.end()) copy_image(out, reader, image, found->second, added.expires);
    });
  });
}

}  // namespace

std::string images_section(std::string_view config_text, const NewExceptions& added) {
  DiagnosticList problems("");
  YamlTree tree;
  if (!parse_yaml(config_text, tree, problems)) return {};
  YamlReader reader(tree, problems);
  const Fields root(reader, reader.root(), kRootKeys);
  if (!root.find("images")) return {};
  YAML::Emitter out;
  out << YAML::BeginMap << YAML::Key << "images" << YAML::Value << YAML::BeginSeq;
  copy_images(out, reader, root, added);
  out << YAML::EndSeq << YAML::EndMap;
  return std::string(out.c_str(), out.size()) + "\n";
}

std::string whole_config(std::string_view config_text, const NewExceptions& added, const FoundImages& found) {
  constexpr int kLevelsInLines = 2;
  DiagnosticList problems("");
  YamlTree tree;
  if (!parse_yaml(config_text.empty() ? "{}" : config_text, tree, problems)) return {};
  YamlReader reader(tree, problems);
  const Place place = reader.root();
  const Fields root(reader, place, kRootKeys);
  YAML::Emitter out;
  out << YAML::BeginMap;
  reader.each_entry(place, [&](std::string_view key, const Place& value) {
    if (key == "images") return;
    copy_key(out, key);
    copy(out, reader, value, kLevelsInLines);
  });
  if (found.add_rule) {
    out << YAML::Key << "discover" << YAML::Value << YAML::BeginSeq << YAML::Flow << YAML::BeginMap;
    emit::accounts(out, "allowed", {});
    out << YAML::EndMap << YAML::Comment("images to come: nobody may have them") << YAML::EndSeq;
  }
  out << YAML::Key << "images" << YAML::Value << YAML::BeginSeq;
  copy_images(out, reader, root, added);
  for (const auto& image : found.images)
    write_found(out, *image, found.interval, added);
  out << YAML::EndSeq << YAML::EndMap;
  return std::string(out.c_str(), out.size()) + "\n";
}

}  // namespace sharedrift

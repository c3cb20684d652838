#include "config/config_writer.hpp"

#include "config/config_keys.hpp"
#include "config/endpoint.hpp"
#include "core/text.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace sharedrift {

namespace {

/// Writes `key: value` lines at one depth; what is empty is left out.
class Block {
 public:
  Block(std::string& out, std::size_t indent) : out_(out), indent_(indent) {}

  /// The first line of a list's item stands behind its dash.
  Block& item() {
    first_ = true;
    return *this;
  }
  void text(std::string_view key, std::string_view value) {
    if (!value.empty()) raw(key, yaml_string(value));
  }
  void flag(std::string_view key, bool value) { raw(key, value ? "true" : "false"); }
  void number(std::string_view key, int value) { raw(key, std::to_string(value)); }
  void duration(std::string_view key, Millis value) { raw(key, format_duration(value)); }
  void accounts(std::string_view key, const std::vector<AccountId>& accounts) {
    std::string list;
    for (const AccountId& account : accounts)
      list.append(list.empty() ? "\"" : ", \"").append(account.str()).append("\"");
    raw(key, "[" + list + "]");
  }
  void raw(std::string_view key, std::string_view value) {
    begin(key);
    out_.append(" ").append(value).append("\n");
  }
  /// A key whose value follows one level deeper.
  Block open(std::string_view key) {
    begin(key);
    out_ += '\n';
    return {out_, indent_ + 2};
  }
  /// A key whose value is a list of maps.
  Block open_list(std::string_view key) {
    begin(key);
    out_ += '\n';
    return {out_, indent_ + 4};
  }

 private:
  void begin(std::string_view key) {
    if (first_) {
      out_.append(indent_ - 2, ' ').append("- ");
    } else {
      out_.append(indent_, ' ');
    }
    first_ = false;
    out_.append(key).append(":");
  }

  std::string& out_;
  std::size_t indent_;
  bool first_ = false;
};

template <class T, std::size_t N>
std::string_view name_of(const std::array<Choice<T>, N>& choices, T value) {
  return std::find_if(choices.begin(), choices.end(),
                      [value](const Choice<T>& c) { return c.value == value; })
      ->name;
}

void write_credentials(Block block, const CredentialConfig& c) {
  block.raw("source", name_of(kCredentialSources, c.source));
  block.text("file", c.file);
  block.text("profile", c.profile);
  block.text("role_name", c.role_name);
  block.text("metadata_endpoint", c.metadata_endpoint);
  if (c.source == CredentialKind::ecs_ram_role) block.flag("disable_imdsv1", c.disable_imdsv1);
  block.text("role_arn", c.role_arn);
  block.text("role_session_name", c.role_session_name);
  block.text("oidc_provider_arn", c.oidc_provider_arn);
  block.text("oidc_token_file", c.oidc_token_file);
  block.text("external_id", c.external_id);
  block.text("policy", c.policy);
  if (c.duration) block.duration("duration", *c.duration);
  if (!c.uri.empty()) block.text("uri", masked_url(c.uri));
  if (c.base) write_credentials(block.open("from"), *c.base);
}

/// The shortest digits that give the same number again.
std::string decimal(double value) {
  std::array<char, 32> buffer{};
  const auto [end, error] =
      std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, std::chars_format::fixed);
  return {buffer.data(), static_cast<std::size_t>(end - buffer.data())};
}

void write_profile(Block block, const ProfileConfig& p) {
  block.text("endpoint", p.endpoint);
  if (p.owner_account) block.text("owner_account", p.owner_account->str());
  write_credentials(block.open("credentials"), p.credentials);
  block.text("sts_endpoint", p.sts_endpoint);
  block.flag("allow_any_endpoint", p.allow_any_endpoint);
  block.text("ca_file", p.ca_file);
  if (!p.proxy_url.empty()) block.text("proxy_url", masked_url(p.proxy_url));
  block.flag("proxy_from_environment", p.proxy_from_environment);
  block.duration("timeout", p.timeout);
  block.raw("requests_per_second", decimal(p.requests_per_second));
  block.number("concurrency", p.concurrency);
  block.number("max_attempts", p.max_attempts);
}

void write_poll(Block block, const PollConfig& poll) {
  block.duration("interval", poll.interval);
  block.raw("spread", name_of(kSpreads, poll.spread));
  block.duration("stale_after", poll.stale_after);
  block.number("confirm_clears", poll.confirm_clears);
  block.number("mass_change_percent", poll.mass_change_percent);
  block.duration("state_retention", poll.state_retention);
}

void write_image(Block block, const ImagePolicy& image) {
  block.item().text("id", image.id.str());
  block.text("name", image.name);
  block.text("team", image.team);
  block.text("severity", image.severity);
  block.text("profile", image.profile);
  block.duration("interval", image.interval);
  block.accounts("required", image.required);
  block.accounts("allowed", image.allowed);
  if (!image.exceptions.empty()) {
    Block items = block.open_list("exceptions");
    for (const Exception& e : image.exceptions) {
      items.item().text("account", e.account.str());
      items.text("expires", format_rfc3339(e.expires));
      items.text("owner", e.owner);
      items.text("ticket", e.ticket);
      items.text("reason", e.reason);
    }
  }
  block.flag("canary", image.canary);
}

}  // namespace

std::string yaml_string(std::string_view text) {
  std::string out;
  append_json_string(out, text);  // its escapes are YAML's too
  return out;
}

std::string to_yaml(const Config& config) {
  std::string out = "# sha256 of the file: " + config.sha256 + "\n";
  Block root(out, 0);
  Block profiles = root.open("profiles");
  for (const ProfileConfig& profile : config.profiles)
    write_profile(profiles.open(yaml_string(profile.name)), profile);
  write_poll(root.open("poll"), config.poll);
  if (!config.account_names.empty()) {
    Block accounts = root.open("accounts");
    for (const auto& [id, name] : config.account_names)
      accounts.raw(yaml_string(id.str()), "{name: " + yaml_string(name) + "}");
  }
  Block images = root.open_list("images");
  for (const auto& image : config.images)
    write_image(images, *image);
  return out;
}

}  // namespace sharedrift

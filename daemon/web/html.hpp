#pragma once

#include "core/failure.hpp"
#include "core/time.hpp"
#include "core/watch_list.hpp"

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace sharedrift {

/// Text from outside as the content of an element or a quoted attribute: clean, cut after `longest` bytes,
/// and no markup.
std::string html(std::string_view text, std::size_t longest = 300);

/// `2026-11-24 09:20 UTC`
std::string minute(WallTime time);
/// How long ago that is, with the moment for machines and for who points at it.
std::string ago(WallTime time, WallTime now);

/// An account with its name in the address book.
std::string account_html(const AccountId& account, const AccountNames& names);
/// Why a poll failed, with the API's own code and the id of its answer; or that it did not.
std::string failure_html(const std::shared_ptr<const Failure>& failure);

/// `page` with its {{names}} replaced, up to {{rows}} and behind it.
std::pair<std::string, std::string> filled(std::string_view page,
                                           const std::map<std::string_view, std::string>& values);

}  // namespace sharedrift

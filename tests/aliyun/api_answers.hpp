#pragma once

#include "ports.hpp"
#include "support/test_data.hpp"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

/// Answers of the API for tests: kept ones from tests/data/api, and made ones.
namespace sharedrift::testing {

inline constexpr const char* kImage = "m-5s7qotzavwbrnzaqh4unm0000";

inline HttpResponse answer(int status, std::string body, HttpHeaders headers = {}) {
  HttpResponse response;
  response.status = status;
  response.body = std::move(body);
  response.headers = std::move(headers);
  return response;
}

inline std::string kept_text(const std::string& name) {
  std::ifstream file(test_data("api") / (name + ".json"));
  if (!file) throw std::runtime_error("no such answer: " + name);
  return {std::istreambuf_iterator<char>(file), {}};
}
inline HttpResponse kept(const std::string& name) {
  return answer(200, kept_text(name));
}

inline HttpResponse refusal(const std::string& code, int status, HttpHeaders headers = {}) {
  return answer(status,
                R"({"RequestId":"R-1","HostId":"ens.aliyuncs.com","Code":")" + code +
                    R"(","Message":"in the API's words"})",
                std::move(headers));
}

/// A truthful page `number` of a list.
inline HttpResponse page_of(const std::string& image, const std::vector<std::string>& accounts, int number,
                            std::size_t size = 100) {
  std::string rows;
  const std::size_t first = static_cast<std::size_t>(number - 1) * size;
  for (std::size_t i = first; i < std::min(first + size, accounts.size()); ++i)
    rows += (rows.empty() ? R"({"AliyunUid":")" : R"(,{"AliyunUid":")") + accounts[i] + R"("})";
  return answer(200, R"({"TotalCount":)" + std::to_string(accounts.size()) + R"(,"PageSize":)" +
                         std::to_string(size) + R"(,"PageNumber":)" + std::to_string(number) +
                         R"(,"RequestId":"R-)" + std::to_string(number) + R"(","ImageId":")" + image +
                         R"(","Accounts":{"Account":[)" + rows + "]}}");
}

/// `count` account ids from `first` on.
inline std::vector<std::string> accounts_from(std::int64_t first, int count) {
  std::vector<std::string> ids;
  for (int i = 0; i < count; ++i)
    ids.push_back(std::to_string(1'000'000'000'000'000 + first + i));
  return ids;
}

inline std::string header_of(const HttpRequest& request, std::string_view name) {
  return std::string{request.headers.find(name).value_or("")};
}

}  // namespace sharedrift::testing

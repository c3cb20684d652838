#include "simulator/api.hpp"

#include <algorithm>
#include <array>

namespace sharedrift::simulator {

namespace {

constexpr std::string_view kEns = "2017-11-10";
constexpr std::string_view kSts = "2015-04-01";

constexpr std::array kOperations{
    OperationInfo{kEns, "DescribeImageSharePermission", "Ens", "ens:DescribeImageSharePermission", true,
                  describe_image_share_permission},
    OperationInfo{kEns, "DescribeSelfImages", "Ens", "ens:DescribeSelfImages", true, describe_self_images},
    OperationInfo{kEns, "DescribeImages", "Ens", "ens:DescribeImages", true, describe_images},
    OperationInfo{kEns, "ModifyImageSharePermission", "Ens", "ens:ModifyImageSharePermission", true,
                  modify_image_share_permission},
    OperationInfo{kSts, "GetCallerIdentity", "Sts", "", true, get_caller_identity},
    OperationInfo{kSts, "AssumeRole", "Sts", "sts:AssumeRole", true, assume_role},
    OperationInfo{kSts, "AssumeRoleWithOIDC", "Sts", "", false, assume_role_with_oidc},
};

}  // namespace

const OperationInfo* find_operation(std::string_view version, std::string_view action) {
  const auto* it = std::find_if(kOperations.begin(), kOperations.end(), [&](const OperationInfo& o) {
    return o.version == version && o.action == action;
  });
  return it == kOperations.end() ? nullptr : it;
}

bool is_known_version(std::string_view version) {
  return version == kEns || version == kSts;
}

}  // namespace sharedrift::simulator

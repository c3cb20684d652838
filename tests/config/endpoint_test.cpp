#include "config/endpoint.hpp"

#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace sharedrift {

namespace {

/// The address in its normal form, or `! message`.
std::string told(const Result<std::string, UrlFault>& checked) {
  return checked ? *checked : "! " + checked.error().message;
}

using Cases = std::vector<std::pair<std::string, std::string>>;

}  // namespace

TEST(Endpoint, KnowsTheHostsOfEns) {
  for (const std::string host :
       {"ens.aliyuncs.com", "ens.ap-southeast-1.aliyuncs.com", "ens-vpc.cn-zhangjiakou.aliyuncs.com",
        "ens.vpc-proxy.aliyuncs.com", "ens-vpc.ap-southeast-1.aliyuncs.com"}) {
    EXPECT_EQ(told(check_endpoint("https://" + host, Service::ens, false)), "https://" + host);
    EXPECT_EQ(told(check_endpoint("http://" + host, Service::ens, true)),
              "! must use https: \"" + host + "\" is not loopback");
  }
  for (const std::string host :
       {"ens-vpc.aliyuncs.com", "ens.cn-hangzhou.aliyuncs.com", "aliyuncs.com",
        "ens.aliyuncs.com.evil.example", "evil-ens.aliyuncs.com", "ens.aliyuncs.co", "sts.aliyuncs.com"}) {
    EXPECT_EQ(told(check_endpoint("https://" + host, Service::ens, false)),
              "! \"" + host + "\" is not known as an endpoint of ENS");
    EXPECT_EQ(told(check_endpoint("https://" + host, Service::ens, true)), "https://" + host);
  }
}

TEST(Endpoint, KnowsTheHostsOfSts) {
  for (const std::string host :
       {"sts.aliyuncs.com", "sts.cn-hangzhou.aliyuncs.com", "sts-vpc.ap-southeast-1.aliyuncs.com"}) {
    EXPECT_EQ(told(check_endpoint("https://" + host, Service::sts, false)), "https://" + host);
  }
  for (const std::string host :
       {"sts-vpc.aliyuncs.com", "sts.cn-hangzhou.evil.aliyuncs.com", "sts.aliyuncs.com.cn",
        "ens.aliyuncs.com", "sts.cn-hangzhou.aliyuncs.example", "xsts.cn-hangzhou.aliyuncs.com"}) {
    EXPECT_EQ(told(check_endpoint("https://" + host, Service::sts, false)),
              "! \"" + host + "\" is not known as an endpoint of STS");
  }
}

TEST(Endpoint, IsAnOriginInNormalForm) {
  const Cases cases{
      {"HTTPS://ENS.aliyuncs.com", "https://ens.aliyuncs.com"},
      {"https://ens.aliyuncs.com:8443", "https://ens.aliyuncs.com:8443"},
      {"http://127.0.0.1:8080", "http://127.0.0.1:8080"},
      {"http://127.9.9.9", "http://127.9.9.9"},
      {"http://localhost:1", "http://localhost:1"},
      {"http://[::1]:65535", "http://[::1]:65535"},
      {"https://ens.aliyuncs.com/", "! must not hold a path or query"},
      {"https://ens.aliyuncs.com?x=1", "! must not hold a path or query"},
      {"https://ens.aliyuncs.com#x", "! must not hold a path or query"},
      {"https://key:secret@ens.aliyuncs.com", "! must not hold a user or password"},
      {"https://ens.aliyuncs.com@evil.example", "! must not hold a user or password"},
      {"https://evil.example\\@ens.aliyuncs.com", "! holds a character that no address may hold"},
      {"https://ens.aliyuncs.com\r\nX: y", "! holds a character that no address may hold"},
      {"https://ens aliyuncs.com", "! holds a character that no address may hold"},
      {"https://ens.aliyuncs.com.", "! has no valid host name"},
      {"https://ens..aliyuncs.com", "! has no valid host name"},
      {"https://-ens.aliyuncs.com", "! has no valid host name"},
      {"https://ens_.aliyuncs.com", "! has no valid host name"},
      {"https://", "! has no valid host name"},
      {"https://:443", "! has no valid host name"},
      {"https://ens.aliyuncs.com:", "! has no valid port"},
      {"https://ens.aliyuncs.com:0", "! has no valid port"},
      {"https://ens.aliyuncs.com:65536", "! has no valid port"},
      {"https://ens.aliyuncs.com:+80", "! has no valid port"},
      {"https://ens.aliyuncs.com:80:80", "! has no valid port"},
      {"https://[::1", "! has no valid address in its brackets"},
      {"https://[localhost]", "! has no valid address in its brackets"},
      {"https://[::1]x", "! has no valid port"},
      {"ens.aliyuncs.com", "! is not an address"},
      {"//ens.aliyuncs.com", "! is not an address"},
      {"file:///etc/passwd", "! must begin with https:// or http://"},
      {"", "! is not an address"},
      {"https://" + std::string(3000, 'a'), "! is too long"},
  };
  for (const auto& [address, expected] : cases)
    EXPECT_EQ(told(check_endpoint(address, Service::ens, false)), expected) << address;
}

TEST(Endpoint, NothingButLoopbackIsLoopback) {
  // What some resolver would take for 127.0.0.1, and what only looks like it.
  for (const std::string host :
       {"127.1", "0177.0.0.1", "127.0.0.01", "0x7f000001", "2130706433", "127.0.0.1.5", "127.0.0.256",
        "127.0.0.1.example", "localhost.example", "0.0.0.0", "[::]", "[::ffff:127.0.0.1]", "10.0.0.1"}) {
    EXPECT_FALSE(check_endpoint("http://" + host, Service::ens, true)) << host;
  }
}

TEST(Endpoint, ProxyHasAPortAndMayHaveAUser) {
  const Cases cases{
      {"http://Proxy.example:3128", "http://proxy.example:3128"},
      {"http://proxy.example:3128/", "http://proxy.example:3128"},
      {"https://joe:Se%40same@proxy.example:3128", "https://joe:Se%40same@proxy.example:3128"},
      {"http://[fd00::1]:3128", "http://[fd00::1]:3128"},
      {"http://proxy.example", "! needs a port"},
      {"http://proxy.example:3128/x", "! must not hold a path or query"},
      {"http://joe:se@same@proxy.example:3128", "! holds more than one @"},
      {"socks5://proxy.example:1080", "! must begin with https:// or http://"},
  };
  for (const auto& [address, expected] : cases)
    EXPECT_EQ(told(check_proxy(address)), expected) << address;
}

TEST(Endpoint, MetadataIsReadInPlainTextFromLinkLocalAddressesOnly) {
  const Cases cases{
      {"http://100.100.100.200", "http://100.100.100.200"},
      {"http://169.254.169.254:80", "http://169.254.169.254:80"},
      {"http://127.0.0.1:9", "http://127.0.0.1:9"},
      {"https://metadata.example", "https://metadata.example"},
      {"http://metadata.example",
       "! must use https: \"metadata.example\" is neither loopback nor a metadata address"},
      {"http://100.100.100.201",
       "! must use https: \"100.100.100.201\" is neither loopback nor a metadata address"},
      {"http://169.255.0.1", "! must use https: \"169.255.0.1\" is neither loopback nor a metadata address"},
      {"http://100.100.100.200/latest", "! must not hold a path or query"},
  };
  for (const auto& [address, expected] : cases)
    EXPECT_EQ(told(check_metadata_endpoint(address)), expected) << address;
}

TEST(Endpoint, CredentialsUriMayHaveAPathAndAQuery) {
  const Cases cases{
      {"http://LOCALHOST:1/Creds?User=joe&x=%20", "http://localhost:1/Creds?User=joe&x=%20"},
      {"https://creds.example/x", "https://creds.example/x"},
      {"http://creds.example/x",
       "! must use https: \"creds.example\" is neither loopback nor a metadata address"},
      {"https://joe:sesame@creds.example/x", "! must not hold a user or password"},
      {"https://creds.example/x#y", "! must not hold a fragment"},
  };
  for (const auto& [address, expected] : cases)
    EXPECT_EQ(told(check_credentials_uri(address)), expected) << address;
}

TEST(Endpoint, MaskHidesUserPasswordAndQuery) {
  EXPECT_EQ(masked_url("http://joe:sesame@proxy.example:3128"), "http://***@proxy.example:3128");
  EXPECT_EQ(masked_url("http://sesame@[::1]:3128"), "http://***@[::1]:3128");
  EXPECT_EQ(masked_url("https://creds.example/x?token=sesame"), "https://creds.example/x?***");
  EXPECT_EQ(masked_url("https://creds.example/x"), "https://creds.example/x");
  EXPECT_EQ(masked_url("sesame"), "***");
}

}  // namespace sharedrift

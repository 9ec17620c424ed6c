#include "config/settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

namespace s3lt {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

namespace fs = std::filesystem;

// A working directory and a home of its own for each test.
class SettingsTest : public testing::Test {
 protected:
  SettingsTest() {
    std::string pattern = (fs::path(testing::TempDir()) / "settings_test.XXXXXX").string();
    root_ = mkdtemp(pattern.data());
    sources.backends = {"boto3", "minio", "native", "proxy"};
    sources.working_dir = root_ / "work";
    sources.home_dir = root_ / "home";
    fs::create_directories(sources.working_dir);
    fs::create_directories(sources.home_dir / ".s3loadtest");
  }
  ~SettingsTest() override { fs::remove_all(root_); }

  fs::path write(const fs::path& path, std::string_view text) {
    std::ofstream(path, std::ios::binary) << text;
    return path;
  }
  fs::path env_file(std::string_view text) { return write(sources.working_dir / ".env", text); }

  Settings load() {
    auto settings = load_settings(sources);
    EXPECT_TRUE(settings) << (settings ? "" : settings.error().message);
    return settings ? *settings : Settings{};
  }
  std::string error() {
    const auto settings = load_settings(sources);
    if (settings) return "no error";
    EXPECT_EQ(settings.error().kind, ErrorKind::usage);
    return settings.error().message;
  }

  SettingsSources sources;
  fs::path root_;
};

constexpr const char* complete =
    "S3_ENDPOINTS=http://"
    "10.0.0.{1...2}:9000\nAWS_ACCESS_KEY_ID=key\nAWS_SECRET_ACCESS_KEY=secret\nS3_BUCKET=bkt\n";

TEST_F(SettingsTest, AFileWithTheFourRequiredSettingsIsEnough) {
  env_file(complete);
  const Settings s = load();
  ASSERT_EQ(s.endpoints.size(), 2U);
  EXPECT_EQ(s.endpoints[1].url(), "http://10.0.0.2:9000");
  EXPECT_EQ(s.credentials.access_key, "key");
  EXPECT_EQ(s.credentials.secret_key, "secret");
  EXPECT_EQ(s.bucket, "bkt");
  EXPECT_EQ(s.region, "us-east-1");
  EXPECT_EQ(s.backend, "boto3");
  EXPECT_EQ(s.data_dir, "./data");
  EXPECT_EQ(s.log_dir, "./logs");
  EXPECT_EQ(s.workers_file, "./workers");
  EXPECT_EQ(s.temp_dir, "/tmp");
  EXPECT_EQ(s.key_dir, "/tmp");
  EXPECT_EQ(s.env_dir, ".");
  EXPECT_EQ(s.s3pool_binary, "s3pool");
  EXPECT_EQ(s.proxy, (Endpoint{.tls = false, .host = "127.0.0.1", .port = 18080}));
  EXPECT_FALSE(s.log_level);
  EXPECT_FALSE(s.log_json);
  EXPECT_FALSE(s.verify_tls);
  EXPECT_THAT(s.warnings, IsEmpty());
  EXPECT_EQ(s.origin, (sources.working_dir / ".env").string());
}

TEST_F(SettingsTest, SecretsAreTakenLiterally) {
  env_file(std::string(complete) + "AWS_SECRET_ACCESS_KEY=\"p$a#s\\s = \"it's\" ${HOME} \"\n");
  EXPECT_EQ(load().credentials.secret_key, "p$a#s\\s = \"it's\" ${HOME} ");
}

TEST_F(SettingsTest, TheEnvironmentWinsOverTheFile) {
  env_file(std::string(complete) + "AWS_DEFAULT_REGION=from-file\n");
  sources.environment = {
      {"S3_BUCKET", "other"}, {"S3_ENDPOINTS", "https://s3.example.org"}, {"AWS_REGION", "eu"}};
  const Settings s = load();
  EXPECT_EQ(s.bucket, "other");
  EXPECT_EQ(s.endpoints, (std::vector{Endpoint{true, "s3.example.org", 443}}));
  EXPECT_EQ(s.region, "eu");
  EXPECT_THAT(s.origin, HasSubstr("from the environment S3_ENDPOINTS, S3_BUCKET, AWS_REGION"));
}

TEST_F(SettingsTest, TheFirstFileFoundIsTheOnlyOneRead) {
  write(sources.home_dir / ".s3loadtest" / ".env", std::string(complete) + "AWS_REGION=home\n");
  EXPECT_EQ(load().region, "home");
  env_file(complete);
  EXPECT_EQ(load().region, "us-east-1");  // no merging
  sources.env_file = write(root_ / "chosen", std::string(complete) + "AWS_REGION=chosen\n");
  EXPECT_EQ(load().region, "chosen");
  sources.env_file = root_ / "absent";
  EXPECT_THAT(error(), HasSubstr("absent: No such file"));
  sources.env_file = root_;
  EXPECT_THAT(error(), HasSubstr("is a directory"));
}

TEST_F(SettingsTest, AnEmptyFileAndTheEnvironmentAreEnough) {
  env_file("");
  sources.environment = {{"S3_ENDPOINTS", "http://a"},
                         {"AWS_ACCESS_KEY_ID", "k"},
                         {"AWS_SECRET_ACCESS_KEY", "s"},
                         {"S3_BUCKET", "bkt"}};
  EXPECT_EQ(load().bucket, "bkt");
  fs::remove(sources.working_dir / ".env");
  EXPECT_EQ(load().origin, "the environment (there is no .env)");
}

TEST_F(SettingsTest, AllThatIsMissingIsNamedAtOnceWithTheRemedy) {
  EXPECT_THAT(error(), AllOf(HasSubstr("S3_ENDPOINTS, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, S3_BUCKET"),
                             HasSubstr(".env.example"), HasSubstr("--env")));
  env_file("S3_BUCKET=bkt\nAWS_ACCESS_KEY_ID=key\nAWS_SECRET_ACCESS_KEY=\n");
  EXPECT_THAT(error(), AllOf(HasSubstr("S3_ENDPOINTS, AWS_SECRET_ACCESS_KEY;"), HasSubstr("work/.env")));
  env_file(complete);
  sources.environment["S3_BUCKET"] = "";
  EXPECT_THAT(error(), HasSubstr("missing setting: S3_BUCKET (empty in the environment"));
}

TEST_F(SettingsTest, S3PoolCountsOnlyWhereS3EndpointsIsNowhereSet) {
  const std::string rest = "AWS_ACCESS_KEY_ID=k\nAWS_SECRET_ACCESS_KEY=s\nS3_BUCKET=bkt\n";
  env_file(rest + "S3_ENDPOINTS=http://new\n");
  sources.environment["S3_POOL"] = "http://old";
  EXPECT_EQ(load().endpoints.front().host, "new");
  env_file(rest);
  EXPECT_EQ(load().endpoints.front().host, "old");
  sources.environment["S3_POOL"] = "old:9000";
  EXPECT_THAT(error(), AllOf(HasSubstr("S3_POOL (environment)"), HasSubstr("write S3_POOL=http://old:9000")));
}

TEST_F(SettingsTest, AnEndpointWithoutASchemeShowsFileLineAndTheRightLine) {
  env_file("# storage\nS3_ENDPOINTS=10.0.0.1:9000\n");
  EXPECT_THAT(error(),
              AllOf(HasSubstr("work/.env:2)"), HasSubstr("write S3_ENDPOINTS=http://10.0.0.1:9000")));
}

TEST_F(SettingsTest, FlagsWinOverEverything) {
  env_file(complete);
  sources.environment["S3_BUCKET"] = "other";
  sources.endpoints = {"http://one", "http://two:81,http://three"};
  sources.bucket = "flag-bucket";
  sources.backend = "Native";
  const Settings s = load();
  ASSERT_EQ(s.endpoints.size(), 3U);
  EXPECT_EQ(s.endpoints[1].host_header(), "two:81");
  EXPECT_EQ(s.bucket, "flag-bucket");
  EXPECT_EQ(s.backend, "native");
  sources.endpoints = {"one"};
  EXPECT_THAT(error(),
              HasSubstr("--endpoint: \"one\" has no http:// or https://; write --endpoint http://one"));
  sources.endpoints.clear();
  sources.bucket = "s3://bucket";
  EXPECT_THAT(error(), HasSubstr("--bucket"));
}

TEST_F(SettingsTest, CertificatesAreVerifiedWhereAskedOrWhereOnlyACaBundleIsSet) {
  env_file(
      std::string("S3_BUCKET=bkt\nAWS_ACCESS_KEY_ID=k\nAWS_SECRET_ACCESS_KEY=s\nS3_ENDPOINTS=https://a\n"));
  EXPECT_FALSE(load().verify_tls);
  EXPECT_THAT(load().warnings, ElementsAre(HasSubstr("S3_VERIFY_SSL=true")));
  sources.environment["AWS_CA_BUNDLE"] = "/ca.pem";
  EXPECT_TRUE(load().verify_tls);
  EXPECT_EQ(load().ca_bundle, "/ca.pem");
  EXPECT_THAT(load().warnings, IsEmpty());
  for (const auto& [text, expected] :
       {std::pair{"true", true}, {"1", true}, {"YES", true}, {"false", false}, {"0", false}, {"No", false}}) {
    sources.environment["S3_VERIFY_SSL"] = text;
    EXPECT_EQ(load().verify_tls, expected) << text;
  }
  sources.environment["S3_VERIFY_SSL"] = "on";
  EXPECT_THAT(error(), AllOf(HasSubstr("S3_VERIFY_SSL (environment)"), HasSubstr("true/false")));
}

TEST_F(SettingsTest, AwsRegionComesBeforeAwsDefaultRegion) {
  env_file(std::string(complete) + "AWS_REGION=first\n");
  sources.environment["AWS_DEFAULT_REGION"] = "second";
  EXPECT_EQ(load().region, "first");
  env_file(complete);
  EXPECT_EQ(load().region, "second");
}

TEST_F(SettingsTest, OptionalSettingsAreRead) {
  env_file(std::string(complete) +
           "S3LOADTEST_BACKEND=rustproxy\nS3LOADTEST_DATA_DIR=/d\nS3LOADTEST_LOG_DIR=/l\n"
           "S3LOADTEST_WORKERS_FILE=/w\nS3LOADTEST_TEMP_DIR=/t\nS3LOADTEST_REMOTE_CODE_DIR=/rc\n"
           "S3LOADTEST_REMOTE_LOG_DIR=/rl\nS3POOL_BINARY=/bin/s3pool\nS3LOADTEST_PROXY_ADDR=0.0.0.0:1\n"
           "S3POOL_PROXY_PORT=8080\nS3LOADTEST_ENV_DIR=/e\nLOADTEST_LOG_LEVEL=debug\nLOADTEST_LOG_JSON=1\n"
           "LOADTEST_LOG_FILE=/f\nAWS_SESSION_TOKEN=token\n");
  const Settings s = load();
  EXPECT_EQ(s.backend, "proxy");
  EXPECT_EQ(s.data_dir, "/d");
  EXPECT_EQ(s.log_dir, "/l");
  EXPECT_EQ(s.workers_file, "/w");
  EXPECT_EQ(s.temp_dir, "/t");
  EXPECT_EQ(s.key_dir, "/t");  // the temp dir where it has none of its own
  EXPECT_EQ(s.remote_code_dir, "/rc");
  EXPECT_EQ(s.remote_log_dir, "/rl");
  EXPECT_EQ(s.s3pool_binary, "/bin/s3pool");
  EXPECT_EQ(s.proxy.host_header(), "0.0.0.0:1") << "the older name is of less weight";
  EXPECT_EQ(s.env_dir, "/e");
  EXPECT_EQ(s.log_level, LogLevel::debug);
  EXPECT_TRUE(s.log_json);
  EXPECT_EQ(s.log_file, "/f");
  EXPECT_EQ(s.credentials.session_token, "token");
  EXPECT_THAT(s.warnings, IsEmpty());
  sources.environment["S3LOADTEST_KEY_DIR"] = "/k";
  EXPECT_EQ(load().key_dir, "/k");
}

TEST_F(SettingsTest, WrongOptionalValuesNameTheirPlace) {
  env_file(std::string(complete) + "S3LOADTEST_BACKEND=bot3\n");
  EXPECT_THAT(error(),
              AllOf(HasSubstr("S3LOADTEST_BACKEND ("), HasSubstr(".env:5)"), HasSubstr("\"boto3\"?")));
  env_file(complete);
  sources.environment = {{"LOADTEST_LOG_LEVEL", "loud"}};
  EXPECT_THAT(error(), HasSubstr("LOADTEST_LOG_LEVEL (environment)"));
  sources.environment = {{"S3POOL_PROXY_PORT", "70000"}};
  EXPECT_THAT(error(), HasSubstr("S3POOL_PROXY_PORT (environment)"));
}

TEST_F(SettingsTest, MisspeltNamesAreWarnedOfOnce) {
  env_file(std::string(complete) +
           "AWS_ACESS_KEY_ID=x\nS3_ENDPOINT=http://b\ns3_bucket=y\nLOADTEST_VERBOSE=1\n");
  sources.environment = {
      {"S3_ENDPOINT", "http://c"},      {"AWS_PROFILE", "p"},          {"PATH", "/bin"}, {"LOGNAME", "me"},
      {"AWS_ENDPOINT_URL", "http://c"}, {"AWS_DEFAULT_OUTPUT", "json"}};
  EXPECT_THAT(load().warnings, ElementsAre(AllOf(HasSubstr("AWS_ACESS_KEY_ID ("), HasSubstr(".env:5)"),
                                                 HasSubstr("AWS_ACCESS_KEY_ID?")),
                                           AllOf(HasSubstr("S3_ENDPOINT ("), HasSubstr("S3_ENDPOINTS?")),
                                           HasSubstr("S3_BUCKET?"), HasSubstr("LOADTEST_VERBOSE")));
}

TEST_F(SettingsTest, ProxiesAreIgnoredWithOneWarningThatShowsNoValue) {
  env_file(complete);
  sources.environment = {{"HTTP_PROXY", "http://u:SECRET@p"}, {"https_proxy", "http://p"}};
  EXPECT_THAT(load().warnings,
              ElementsAre(AllOf(HasSubstr("HTTP_PROXY, https_proxy are ignored"), Not(HasSubstr("SECRET")))));
}

TEST_F(SettingsTest, RepeatedSettingsAndMixedCredentialsAreWarnedOf) {
  env_file(std::string(complete) + "S3_BUCKET=last\n");
  EXPECT_EQ(load().bucket, "last");
  EXPECT_THAT(load().warnings,
              ElementsAre(AllOf(HasSubstr("S3_BUCKET stands twice"), HasSubstr("line 5 counts"))));
  env_file(complete);
  sources.environment = {{"AWS_ACCESS_KEY_ID", "other"}};
  EXPECT_THAT(load().warnings, ElementsAre(HasSubstr("partly from the environment")));
}

TEST_F(SettingsTest, SecretsAreInNoMessage) {
  for (const char* bad :
       {"hunter2+text\n", "AWS_SECRET_ACCESS_KEY hunter2\n", "=hunter2\n", "hunter2/x=1\n",
        "S3_ENDPOINTS=http://u:hunter2@h\n", "AWS_SECRET_ACCESS_KEY=hunter2\x01\n",
        "AWS_SECRET_ACCESS_KEY=hunter2\nS3_VERIFY_SSL=maybe\n", "AWS_SECRET_ACCES_KEY=hunter2\nX\n"}) {
    env_file(std::string(complete) + bad);
    const std::string message = error();
    EXPECT_NE(message, "no error") << bad;
    EXPECT_THAT(message, Not(HasSubstr("hunter2"))) << bad;
  }
  env_file(std::string(complete) + "AWS_SECRET_ACCES_KEY=hunter2\nAWS_SESSION_TOKEN=hunter2\n");
  for (const std::string& warning : load().warnings) EXPECT_THAT(warning, Not(HasSubstr("hunter2")));
  EXPECT_THAT(load().origin, Not(HasSubstr("hunter2")));
}

TEST(ProcessSources, HoldTheEnvironment) {
  setenv("S3LOADTEST_SETTINGS_TEST", "a=b", 1);
  const SettingsSources sources = process_sources();
  unsetenv("S3LOADTEST_SETTINGS_TEST");
  EXPECT_EQ(sources.environment.at("S3LOADTEST_SETTINGS_TEST"), "a=b");
  EXPECT_EQ(sources.working_dir, ".");
}

}  // namespace
}  // namespace s3lt

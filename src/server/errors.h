// The errors that S3 answers with (https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html):
// code, HTTP status and message. Constants; thread-safe.
#pragma once

#include <string_view>

namespace s3lt::server {

struct S3Error {
  std::string_view code;
  int status = 500;
  std::string_view message;
};

namespace errors {

inline constexpr S3Error access_denied{"AccessDenied", 403, "Access Denied"};
inline constexpr S3Error headers_not_signed{
    "AccessDenied", 403, "There were headers present in the request which were not signed"};
inline constexpr S3Error authorization_malformed{"AuthorizationHeaderMalformed", 400,
                                                 "The authorization header that you provided is not valid"};
inline constexpr S3Error bad_digest{
    "BadDigest", 400,
    "The Content-MD5 or checksum value that you specified did not match what the "
    "server received"};
inline constexpr S3Error bad_request{"BadRequest", 400, "The request is not valid HTTP"};
inline constexpr S3Error bucket_not_empty{"BucketNotEmpty", 409,
                                          "The bucket that you tried to delete is not empty"};
inline constexpr S3Error entity_too_large{"EntityTooLarge", 400,
                                          "Your proposed upload exceeds the maximum allowed object size"};
inline constexpr S3Error incomplete_body{
    "IncompleteBody", 400,
    "You did not provide the number of bytes specified by the Content-Length "
    "HTTP header"};
inline constexpr S3Error entity_too_small{
    "EntityTooSmall", 400, "Your proposed upload is smaller than the minimum allowed object size"};
inline constexpr S3Error insufficient_storage{
    "InsufficientStorage", 507,
    "The bytes kept in memory would exceed the capacity of this server; delete objects or raise --capacity"};
inline constexpr S3Error internal_error{"InternalError", 500,
                                        "We encountered an internal error. Please try again."};
inline constexpr S3Error invalid_access_key{
    "InvalidAccessKeyId", 403, "The AWS access key ID that you provided does not exist in our records"};
inline constexpr S3Error invalid_argument{"InvalidArgument", 400, "Invalid Argument"};
inline constexpr S3Error invalid_bucket_name{"InvalidBucketName", 400, "The specified bucket is not valid"};
inline constexpr S3Error invalid_digest{"InvalidDigest", 400,
                                        "The Content-MD5 that you specified is not valid"};
inline constexpr S3Error invalid_part{
    "InvalidPart", 400,
    "One or more of the specified parts could not be found. The part may not have been uploaded, or the "
    "specified entity tag may not match the part's entity tag."};
inline constexpr S3Error invalid_part_order{
    "InvalidPartOrder", 400,
    "The list of parts was not in ascending order. Parts must be ordered by part number."};
inline constexpr S3Error invalid_range{"InvalidRange", 416, "The requested range is not satisfiable"};
inline constexpr S3Error invalid_request{"InvalidRequest", 400, "Invalid Request"};
inline constexpr S3Error invalid_token{"InvalidToken", 400,
                                       "The provided token is malformed or otherwise not valid"};
inline constexpr S3Error invalid_uri{"InvalidURI", 400, "The specified URI could not be parsed"};
inline constexpr S3Error key_too_long{"KeyTooLongError", 400, "Your key is too long"};
inline constexpr S3Error malformed_xml{
    "MalformedXML", 400,
    "The XML that you provided was not well formed or did not validate against our published schema"};
inline constexpr S3Error max_message_length{"MaxMessageLengthExceeded", 400, "Your request was too large"};
inline constexpr S3Error metadata_too_large{"MetadataTooLarge", 400,
                                            "Your metadata headers exceed the maximum allowed metadata size"};
inline constexpr S3Error method_not_allowed{"MethodNotAllowed", 405,
                                            "The specified method is not allowed against this resource"};
inline constexpr S3Error missing_content_length{"MissingContentLength", 411,
                                                "You must provide the Content-Length HTTP header"};
inline constexpr S3Error no_such_bucket{"NoSuchBucket", 404, "The specified bucket does not exist"};
inline constexpr S3Error no_such_key{"NoSuchKey", 404, "The specified key does not exist."};
inline constexpr S3Error no_such_upload{"NoSuchUpload", 404,
                                        "The specified upload does not exist. The upload ID may be invalid, "
                                        "or the upload may have been aborted or "
                                        "completed."};
inline constexpr S3Error no_such_version{"NoSuchVersion", 404, "The specified version does not exist."};
inline constexpr S3Error not_implemented{
    "NotImplemented", 501,
    "A parameter or header that you provided implies functionality that is not "
    "implemented"};
inline constexpr S3Error precondition_failed{
    "PreconditionFailed", 412, "At least one of the preconditions that you specified did not hold"};
inline constexpr S3Error request_header_too_large{
    "RequestHeaderSectionTooLarge", 400, "Your request header section exceeds the maximum allowed size"};
inline constexpr S3Error request_time_too_skewed{
    "RequestTimeTooSkewed", 403,
    "The difference between the request time and the server's time is too large"};
inline constexpr S3Error sha256_mismatch{
    "XAmzContentSHA256Mismatch", 400,
    "The provided 'x-amz-content-sha256' header does not match what was computed"};
inline constexpr S3Error signature_does_not_match{"SignatureDoesNotMatch", 403,
                                                  "The request signature that we calculated does not match "
                                                  "the signature that you provided. Check your key and "
                                                  "signing method."};
inline constexpr S3Error two_mechanisms{
    "InvalidArgument", 400,
    "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string "
    "parameter or the Authorization header should be specified"};
inline constexpr S3Error unsupported_mechanism{
    "InvalidRequest", 400,
    "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256."};

}  // namespace errors

// The error that S3 gives with a status, for faults: 503 is SlowDown, 404 NoSuchKey.
S3Error error_of_status(int status);
// "Not Found" of 404.
std::string_view reason_phrase(int status);

}  // namespace s3lt::server

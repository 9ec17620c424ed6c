#include "server/errors.h"

namespace s3lt::server {

S3Error error_of_status(int status) {
  switch (status) {
    case 400:
      return {"InvalidRequest", 400, "Invalid Request"};
    case 403:
      return errors::access_denied;
    case 404:
      return errors::no_such_key;
    case 405:
      return errors::method_not_allowed;
    case 408:
      return {"RequestTimeout", 408, "Your socket connection to the server was not read from or written to"};
    case 409:
      return {"OperationAborted", 409, "A conflicting operation is in progress against this resource"};
    case 412:
      return errors::precondition_failed;
    case 416:
      return errors::invalid_range;
    case 429:
      return {"TooManyRequests", 429, "Please reduce your request rate."};
    case 500:
      return errors::internal_error;
    case 501:
      return errors::not_implemented;
    case 502:
      return {"BadGateway", 502, "The storage behind this gateway gave no valid answer"};
    case 503:
      return {"SlowDown", 503, "Please reduce your request rate."};
    case 504:
      return {"GatewayTimeout", 504, "The storage behind this gateway did not answer in time"};
    case 507:
      return errors::insufficient_storage;
    default:
      break;
  }
  return status >= 500 ? S3Error{"InternalError", status, errors::internal_error.message}
                       : S3Error{"InvalidRequest", status, "Invalid Request"};
}

std::string_view reason_phrase(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 204:
      return "No Content";
    case 206:
      return "Partial Content";
    case 304:
      return "Not Modified";
    case 400:
      return "Bad Request";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 411:
      return "Length Required";
    case 412:
      return "Precondition Failed";
    case 416:
      return "Requested Range Not Satisfiable";
    case 429:
      return "Too Many Requests";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 502:
      return "Bad Gateway";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    case 507:
      return "Insufficient Storage";
    default:
      return status < 400 ? "OK" : "Error";
  }
}

}  // namespace s3lt::server

// One answer: its head as bytes, and a body that is a text, a part of an object's content, or nothing. Reused
// from request to request, so that it costs no allocation. Belongs to one connection.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "server/errors.h"
#include "server/object.h"
#include "server/time_text.h"

namespace s3lt::server {

// What every answer of a thread shares: the date, kept for a second, and the numbering of requests.
class AnswerContext {
 public:
  explicit AnswerContext(std::uint64_t seed) : next_id_(seed) {}
  // To be called once a request; unix seconds.
  void set_time(std::int64_t now);
  std::int64_t now() const { return now_; }
  std::string_view date() const { return date_; }  // "Date: …\r\n"
  TimeText& time_text() { return time_text_; }
  std::uint64_t new_request_id();

 private:
  std::int64_t now_ = -1;
  std::string date_;
  TimeText time_text_;
  std::uint64_t next_id_;
};

class Answer {
 public:
  explicit Answer(AnswerContext& context) : context_(context) {}

  // A new answer; everything said before is gone.
  void start(int status);
  void header(std::string_view name, std::string_view value) {
    head_.append(name).append(": ").append(value).append("\r\n");
  }
  std::string& head() { return head_; }  // for header lines that are put together in place
  std::string& text() { return text_; }  // the body, where it is a text
  AnswerContext& context() { return context_; }

  // An S3 error document. `details` are elements after Code and Message; where the error has no message of
  // its own they hold it.
  void error(const S3Error& error, std::string_view resource = {}, std::string_view details = {});
  // The body is bytes [offset, offset + length) of the object.
  void object_body(ObjectPtr object, std::uint64_t offset, std::uint64_t length);
  // Announces and sends so many bytes. Behind an object's end the sender has to find others.
  void set_body_length(std::uint64_t length) { length_ = length; }
  void close_after() { close_ = true; }
  void keep_alive_10() { keep_alive_10_ = true; }

  // Ends the head. A HEAD request gets the lengths but no body. `has_length` is false for 204 and 304.
  void finish(bool head_request);

  int status() const { return status_; }
  bool closes() const { return close_; }
  std::string_view head_bytes() const { return head_; }
  const ObjectPtr& object() const { return object_; }
  std::uint64_t body_offset() const { return offset_; }
  std::uint64_t body_length() const { return length_; }
  std::string_view text_body() const { return text_; }
  void release() { object_.reset(); }

 private:
  AnswerContext& context_;
  int status_ = 200;
  bool close_ = false, keep_alive_10_ = false;
  std::string head_, text_;
  std::uint64_t request_id_ = 0;
  ObjectPtr object_;
  std::uint64_t offset_ = 0, length_ = 0;
};

// Escapes what may not stand in the text of an XML element.
void append_xml(std::string& out, std::string_view text);
void append_element(std::string& out, std::string_view name, std::string_view text);
// Starts an answer with 200 and an XML document; what comes back is its text, after the root's opening tag.
std::string& begin_xml(Answer& answer, std::string_view root);
inline constexpr std::string_view owner_xml =
    "<Owner><ID>s3loadtest</ID><DisplayName>s3loadtest</DisplayName></Owner>";
inline constexpr std::string_view xml_declaration = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";

}  // namespace s3lt::server

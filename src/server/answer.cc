#include "server/answer.h"

#include <charconv>

#include "base/encoding.h"
#include "base/random.h"

namespace s3lt::server {
namespace {

void append_number(std::string& out, std::uint64_t n) {
  char digits[20];
  const auto [end, error] = std::to_chars(digits, digits + sizeof digits, n);
  out.append(digits, end);
}

void append_id(std::string& out, std::uint64_t id) {
  char digits[16];
  write_hex(std::as_bytes(std::span(&id, 1)), digits);
  out.append(digits, sizeof digits);
}

}  // namespace

void AnswerContext::set_time(std::int64_t now) {
  if (now == now_) return;
  now_ = now;
  date_ = "Date: ";
  time_text_.append_http(date_, now);
  date_ += "\r\n";
}

std::uint64_t AnswerContext::new_request_id() {
  return mix64(++next_id_);
}

void Answer::start(int status) {
  status_ = status;
  close_ = keep_alive_10_ = false;
  object_.reset();
  offset_ = length_ = 0;
  text_.clear();
  request_id_ = context_.new_request_id();
  head_ = "HTTP/1.1 ";
  append_number(head_, static_cast<std::uint64_t>(status));
  head_.append(" ").append(reason_phrase(status)).append("\r\nServer: s3loadtest\r\n");
  head_.append(context_.date()).append("x-amz-request-id: ");
  append_id(head_, request_id_);
  head_ += "\r\n";
}

void Answer::error(const S3Error& error, std::string_view resource, std::string_view details) {
  start(error.status);
  header("Content-Type", "application/xml");
  text_.append(xml_declaration).append("<Error>");
  append_element(text_, "Code", error.code);
  if (!error.message.empty()) append_element(text_, "Message", error.message);
  text_ += details;
  if (!resource.empty()) append_element(text_, "Resource", resource);
  text_ += "<RequestId>";
  append_id(text_, request_id_);
  text_ += "</RequestId></Error>";
}

void Answer::object_body(ObjectPtr object, std::uint64_t offset, std::uint64_t length) {
  object_ = std::move(object);
  offset_ = offset;
  length_ = length;
}

void Answer::finish(bool head_request) {
  if (!object_) length_ = text_.size();
  const bool bodiless = status_ == 204 || status_ == 304;
  if (!bodiless) {
    // A HEAD that fails has no body, and so nothing to announce.
    head_ += "Content-Length: ";
    append_number(head_, head_request && status_ >= 300 ? 0 : length_);
    head_ += "\r\n";
  }
  if (close_) {
    head_ += "Connection: close\r\n";
  } else if (keep_alive_10_) {
    head_ += "Connection: keep-alive\r\n";
  }
  head_ += "\r\n";
  if (bodiless || head_request) {
    object_.reset();
    text_.clear();
    length_ = 0;
  }
}

void append_xml(std::string& out, std::string_view text) {
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&apos;";
        break;
      default:
        if (static_cast<unsigned char>(c) >= ' ') {
          out += c;
        } else {
          out += "&#";
          append_number(out, static_cast<unsigned char>(c));
          out += ';';
        }
    }
  }
}

std::string& begin_xml(Answer& answer, std::string_view root) {
  answer.start(200);
  answer.header("Content-Type", "application/xml");
  std::string& xml = answer.text();
  xml.append(xml_declaration).append("<").append(root);
  xml += " xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">";
  return xml;
}

void append_element(std::string& out, std::string_view name, std::string_view text) {
  out.append("<").append(name).append(">");
  append_xml(out, text);
  out.append("</").append(name).append(">");
}

}  // namespace s3lt::server

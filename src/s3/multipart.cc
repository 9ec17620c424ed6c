#include "s3/multipart.h"

#include "s3/xml_document.h"

namespace s3lt {

std::string parse_upload_id(std::string_view xml) {
  pugi::xml_document document;
  if (!load_xml(document, xml)) return {};
  return xml_text(xml_child(xml_child(document, "InitiateMultipartUploadResult"), "UploadId"));
}

bool is_completed_upload(std::string_view xml) {
  pugi::xml_document document;
  return load_xml(document, xml) && xml_child(document, "CompleteMultipartUploadResult");
}

}  // namespace s3lt

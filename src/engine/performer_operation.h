// One operation that is one request; for performer*.cc alone.
#pragma once

#include <optional>

#include "engine/performer.h"
#include "engine/request_body.h"

namespace s3lt {

class Performer::Operation final : public ClientRequest, public TransferObserver {
 public:
  Operation(Performer& p, const Step& s)
      : ClientRequest(p.texts_, p.timer_, s.kind == OperationKind::delete_batch), performer(p), step(s) {}

  void encode(const RequestContext& context, std::string& head) override;
  ExchangeRequest ask(bool tls) override;
  void judge(const ExchangeResult& result, Attempt& attempt) override;
  void tried(const Attempt& attempt) override;
  void moved(std::uint64_t bytes) override;

  Performer& performer;
  const Step& step;
  Subject subject;
  std::uint64_t size = 0;
  ObjectContent content;
  TimePoint start{};         // intended
  std::int64_t lag_us = -1;  // of an open loop: the actual start behind it
  bool may_exist = false;
  // Of the try under way.
  std::optional<ContentBody> plain;
  std::optional<CodedBody> coded;
  std::optional<TextBody> batch;
  std::optional<ReadCheck> check;
};

}  // namespace s3lt

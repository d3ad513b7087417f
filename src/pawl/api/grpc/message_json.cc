#include "pawl/api/grpc/message_json.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>
#include <google/protobuf/timestamp.pb.h>
#include <google/protobuf/util/time_util.h>

#include "pawl/adapter/grpc/frame_values.h"
#include "pawl/api/call_fields.h"
#include "pawl/v1/values.pb.h"

namespace pawl {
namespace {

using google::protobuf::EnumDescriptor;
using google::protobuf::EnumValueDescriptor;
using google::protobuf::FieldDescriptor;
using Proto = google::protobuf::Message;
using google::protobuf::Reflection;

constexpr std::string_view json_suffix = "_json";

bool holds_json(const FieldDescriptor& field) {
  return field.type() == FieldDescriptor::TYPE_STRING && field.name().ends_with(json_suffix);
}

std::string member_of(const FieldDescriptor& field) {
  size_t cut = holds_json(field) ? json_suffix.size() : 0;
  return field.name().substr(0, field.name().size() - cut);
}

// "EXECUTION_STATUS_": what stands before UNSPECIFIED, the zero of every enumeration.
std::string prefix_of(const EnumDescriptor& type) {
  const std::string& zero = type.FindValueByNumber(0)->name();
  return zero.substr(0, zero.size() - std::string_view("UNSPECIFIED").size());
}

std::string word_of(const EnumDescriptor& type, int number) {
  const EnumValueDescriptor* value = type.FindValueByNumber(number);
  if (value == nullptr) return std::to_string(number);
  std::string word = value->name().substr(prefix_of(type).size());
  for (char& c : word) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return word;
}

int number_of(const EnumDescriptor& type, std::string word) {
  for (char& c : word) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
  const EnumValueDescriptor* value = type.FindValueByName(prefix_of(type) + word);
  return value == nullptr ? 0 : value->number();
}

Status put_json(JsonWriter& out, const FieldDescriptor& field, const std::string& text) {
  if (Status valid = json_validate(text); !valid.ok())
    return Error{Code::invalid_argument,
                 "\"" + field.name() + "\" must be JSON: " + valid.error().message};
  out.raw(text);
  return {};
}

Status put_object(JsonWriter& out, const Proto& message);

Status put_one(JsonWriter& out, const Proto& message, const FieldDescriptor& field) {
  const Reflection& at = *message.GetReflection();
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_STRING:
      if (holds_json(field)) return put_json(out, field, at.GetString(message, &field));
      out.string(at.GetString(message, &field));
      return {};
    case FieldDescriptor::CPPTYPE_UINT32:
      out.number(uint64_t{at.GetUInt32(message, &field)});
      return {};
    case FieldDescriptor::CPPTYPE_UINT64:
      out.number(at.GetUInt64(message, &field));
      return {};
    case FieldDescriptor::CPPTYPE_INT32:
      out.number(int64_t{at.GetInt32(message, &field)});
      return {};
    case FieldDescriptor::CPPTYPE_INT64:
      out.number(at.GetInt64(message, &field));
      return {};
    case FieldDescriptor::CPPTYPE_BOOL:
      out.boolean(at.GetBool(message, &field));
      return {};
    case FieldDescriptor::CPPTYPE_ENUM:
      out.string(word_of(*field.enum_type(), at.GetEnumValue(message, &field)));
      return {};
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return put_object(out, at.GetMessage(message, &field));
    case FieldDescriptor::CPPTYPE_DOUBLE:
    case FieldDescriptor::CPPTYPE_FLOAT:
      break;
  }
  PAWL_CHECK(false, "a field of a type that no call has");
}

Status put_list(JsonWriter& out, const Proto& message, const FieldDescriptor& field) {
  PAWL_CHECK(holds_json(field), "the lists of requests are of JSON texts");
  const Reflection& at = *message.GetReflection();
  out.begin_array();
  for (int i = 0; i < at.FieldSize(message, &field); ++i)
    PAWL_TRY(put_json(out, field, at.GetRepeatedString(message, &field, i)));
  out.end_array();
  return {};
}

// Of a field that cannot be absent its zero is not set.
bool is_set(const Proto& message, const FieldDescriptor& field) {
  return message.GetReflection()->HasField(message, &field);
}

Status put_object(JsonWriter& out, const Proto& message) {
  if (message.GetDescriptor() == v1::BlobRef::descriptor()) {
    JsonFieldWriter(out).write(from_proto(static_cast<const v1::BlobRef&>(message)));
    return {};
  }
  const auto& type = *message.GetDescriptor();
  out.begin_object();
  for (int i = 0; i < type.field_count(); ++i) {
    const FieldDescriptor& field = *type.field(i);
    if (!field.is_repeated() && !is_set(message, field)) continue;
    out.key(member_of(field));
    PAWL_TRY(field.is_repeated() ? put_list(out, message, field) : put_one(out, message, field));
  }
  out.end_object();
  return {};
}

void fill_payload(v1::Payload& message, std::string_view json) {
  Payload payload;
  std::string problem;
  JsonFieldReader("{}", "a payload", UnknownMembers::ignore, problem).read("value", json, payload);
  PAWL_CHECK(problem.empty(), "an answer has well-formed payloads");
  to_proto(payload, message);
}

void fill_message(Proto& message, std::string_view json) {
  const auto* type = message.GetDescriptor();
  if (type == v1::Payload::descriptor())
    return fill_payload(static_cast<v1::Payload&>(message), json);
  if (type == google::protobuf::Timestamp::descriptor()) {
    (void)google::protobuf::util::TimeUtil::FromString(
        json_unquote(json), static_cast<google::protobuf::Timestamp*>(&message));
    return;
  }
  fill(message, json);
}

uint64_t unsigned_of(std::string_view json) {
  uint64_t number = 0;
  (void)unsigned_from_json(json, number);
  return number;
}

int64_t signed_of(std::string_view json) {
  int64_t number = 0;
  (void)signed_from_json(json, number);
  return number;
}

void set_one(Proto& message, const FieldDescriptor& field, std::string_view json) {
  const Reflection& at = *message.GetReflection();
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_STRING:
      return at.SetString(&message, &field,
                          holds_json(field) ? std::string(json) : json_unquote(json));
    case FieldDescriptor::CPPTYPE_UINT32:
      return at.SetUInt32(&message, &field, static_cast<uint32_t>(unsigned_of(json)));
    case FieldDescriptor::CPPTYPE_UINT64:
      return at.SetUInt64(&message, &field, unsigned_of(json));
    case FieldDescriptor::CPPTYPE_INT32:
      return at.SetInt32(&message, &field, static_cast<int32_t>(signed_of(json)));
    case FieldDescriptor::CPPTYPE_INT64:
      return at.SetInt64(&message, &field, signed_of(json));
    case FieldDescriptor::CPPTYPE_BOOL:
      return at.SetBool(&message, &field, json == "true");
    case FieldDescriptor::CPPTYPE_ENUM:
      return at.SetEnumValue(&message, &field, number_of(*field.enum_type(), json_unquote(json)));
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return fill_message(*at.MutableMessage(&message, &field), json);
    case FieldDescriptor::CPPTYPE_DOUBLE:
    case FieldDescriptor::CPPTYPE_FLOAT:
      break;
  }
  PAWL_CHECK(false, "a field of a type that no answer has");
}

void add_each(Proto& message, const FieldDescriptor& field, std::string_view json) {
  const Reflection& at = *message.GetReflection();
  for (JsonItems items(json); items.next();) {
    if (field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE)
      fill_message(*at.AddMessage(&message, &field), items.value());
    else
      at.AddString(&message, &field, json_unquote(items.value()));
  }
}

}  // namespace

Result<std::string> json_of(const Proto& message) {
  JsonWriter out;
  PAWL_TRY(put_object(out, message));
  return out.take();
}

void fill(Proto& message, std::string_view json) {
  const auto& type = *message.GetDescriptor();
  for (JsonItems items(json); items.next();) {
    std::string member = json_unquote(items.key());
    const FieldDescriptor* field = type.FindFieldByName(member);
    if (field == nullptr) field = type.FindFieldByName(member + std::string(json_suffix));
    if (field == nullptr || json_kind(items.value()) == JsonKind::null) continue;
    if (field->is_repeated())
      add_each(message, *field, items.value());
    else
      set_one(message, *field, items.value());
  }
}

}  // namespace pawl

#include "pawl/api/grpc/message_json.h"

#include <google/protobuf/descriptor.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "pawl/api/event_fields.h"
#include "pawl/api/grpc/methods.h"
#include "pawl/api/json_codec.h"
#include "pawl/v1/executions.pb.h"
#include "pawl/v1/queues.pb.h"

namespace pawl {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::EnumDescriptor;
using google::protobuf::FieldDescriptor;

// Takes the part of a writer in fields(io, value), and says where a message and the members part.
class Comparer {
 public:
  Comparer(const Descriptor& type, std::vector<std::string>& faults)
      : type_(type), faults_(faults) {}

  template <class T>
  void operator()(const char* key, const T& value) {
    if (const FieldDescriptor* field = find(key)) compare(*field, value);
  }
  template <class T>
  void required(const char* key, const T& value) {
    (*this)(key, value);
  }
  template <class T>
  void unless_null(const char* key, const std::optional<T>& value) {
    (*this)(key, value);
  }
  void json(const char* key, const std::string&) { expect(key, "_json", false); }
  void json_list(const char* key, const std::vector<std::string>&) { expect(key, "_json", true); }
  template <class V>
  void choice(const char* key, const char* with, const V&) {
    expect(key, "", false);
    expect(with, "_json", false);
  }
  template <class T>
  void text(const char* key, const T&, const char*) {
    expect(key, "", false);
  }
  void random(const char*, uint64_t) {}
  void bytes(const char*, const Bytes&) {}
  void milliseconds(const char* key, const Duration&) { (*this)(key, int64_t{}); }
  void encoded(const char*, const Payload&) {}

  // Fields that no member had.
  void finish(const std::set<std::string>& without) {
    for (int i = 0; i < type_.field_count(); ++i)
      if (!seen_.contains(type_.field(i)->name()) && !without.contains(type_.field(i)->name()))
        faults_.push_back(type_.field(i)->full_name() + " has no member");
  }

 private:
  const FieldDescriptor* find(std::string name) {
    const FieldDescriptor* field = type_.FindFieldByName(name);
    if (field == nullptr) faults_.push_back(type_.full_name() + " has no field " + name);
    seen_.insert(name);
    return field;
  }
  void fault(const FieldDescriptor& field, const std::string& what) {
    faults_.push_back(field.full_name() + " should be " + what);
  }
  void expect(const char* key, const char* suffix, bool repeated) {
    const FieldDescriptor* field = find(std::string(key) + suffix);
    if (field == nullptr) return;
    if (field->type() != FieldDescriptor::TYPE_STRING) fault(*field, "a string");
    if (field->is_repeated() != repeated) fault(*field, repeated ? "repeated" : "single");
  }
  void expect(const FieldDescriptor& field, FieldDescriptor::CppType type, const char* what) {
    if (field.cpp_type() != type) fault(field, what);
  }
  template <class T>
  void compare_words(const FieldDescriptor& field) {
    if (field.cpp_type() == FieldDescriptor::CPPTYPE_STRING) return;
    if (field.cpp_type() != FieldDescriptor::CPPTYPE_ENUM) return fault(field, "an enumeration");
    const EnumDescriptor& type = *field.enum_type();
    std::set<std::string> words;
    for (int i = 0; i < json_enumerators_max; ++i) words.insert(name(static_cast<T>(i)));
    words.erase("unknown");
    words.erase("?");
    for (const std::string& word : words) {
      std::string upper = word;
      std::transform(word.begin(), word.end(), upper.begin(), ::toupper);
      std::string prefix = type.FindValueByNumber(0)->name();
      prefix.resize(prefix.size() - std::string_view("UNSPECIFIED").size());
      if (type.FindValueByName(prefix + upper) == nullptr)
        faults_.push_back(type.full_name() + " has no " + prefix + upper);
    }
    if (static_cast<size_t>(type.value_count()) != words.size() + 1)
      faults_.push_back(type.full_name() + " has values without a word");
  }
  template <class T>
  void compare(const FieldDescriptor& field, const T& value) {
    if constexpr (std::is_enum_v<T>) {
      compare_words<T>(field);
    } else if constexpr (std::same_as<T, bool>) {
      expect(field, FieldDescriptor::CPPTYPE_BOOL, "bool");
    } else if constexpr (std::is_integral_v<T>) {
      constexpr auto type =
          std::is_unsigned_v<T>
              ? (sizeof(T) > 4 ? FieldDescriptor::CPPTYPE_UINT64 : FieldDescriptor::CPPTYPE_UINT32)
              : (sizeof(T) > 4 ? FieldDescriptor::CPPTYPE_INT64 : FieldDescriptor::CPPTYPE_INT32);
      expect(field, type, "an integer as wide as its member");
    } else if (field.cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) {
      fault(field, "a message");
    } else {
      Comparer inner(*field.message_type(), faults_);
      fields(inner, value);
      inner.finish({});
    }
  }
  void compare(const FieldDescriptor& field, const std::string&) {
    expect(field, FieldDescriptor::CPPTYPE_STRING, "a string");
  }
  void compare(const FieldDescriptor& field, const ExecutionId&) { compare(field, std::string()); }
  void compare(const FieldDescriptor& field, const Hash128&) { compare(field, std::string()); }
  template <class Tag>
  void compare(const FieldDescriptor& field, const Id<Tag>& id) {
    compare(field, id.value);
  }
  void compare(const FieldDescriptor& field, const Instant& instant) { compare(field, instant.ns); }
  void compare(const FieldDescriptor& field, const WallTime&) {
    message(field, "google.protobuf.Timestamp");
  }
  void compare(const FieldDescriptor& field, const Payload&) { message(field, "pawl.v1.Payload"); }
  void compare(const FieldDescriptor& field, const BlobRef&) { message(field, "pawl.v1.BlobRef"); }
  void message(const FieldDescriptor& field, const std::string& name) {
    if (field.message_type() == nullptr || field.message_type()->full_name() != name)
      fault(field, name);
  }
  template <class T>
  void compare(const FieldDescriptor& field, const std::optional<T>&) {
    // An enumeration does by its UNSPECIFIED.
    bool tells_absence = field.has_presence() || std::is_enum_v<T>;
    if (!tells_absence) fault(field, "optional");
    compare(field, T{});
  }
  template <class T>
  void compare(const FieldDescriptor& field, const std::vector<T>&) {
    if (!field.is_repeated()) fault(field, "repeated");
    compare(field, T{});
  }

  const Descriptor& type_;
  std::vector<std::string>& faults_;
  std::set<std::string> seen_;
};

template <class T>
bool compare_all(Comparer& comparer, const T& value) {
  fields(comparer, value);
  return true;
}
// With the alternative of V that stands at `wanted`.
template <class V, size_t... place>
void compare_one(Comparer& comparer, size_t wanted, std::index_sequence<place...>) {
  (void)((place == wanted && compare_all(comparer, std::variant_alternative_t<place, V>{})) || ...);
}
template <class V>
void compare_one(Comparer& comparer, size_t wanted) {
  compare_one<V>(comparer, wanted, std::make_index_sequence<std::variant_size_v<V>>());
}

size_t place_in(const std::vector<std::string_view>& names, std::string_view name) {
  return static_cast<size_t>(std::find(names.begin(), names.end(), name) - names.begin());
}

TEST(MessageJsonTest, FieldsAndMembersAreTheSame) {
  const std::set<std::string> wanted = {
      // What a stream decides by itself.
      "pawl.v1.WatchRequest has no field limit", "pawl.v1.WatchRequest has no field wait",
      "pawl.v1.ReadContentRequest has no field offset",
      // Of watches alone.
      "pawl.v1.GetHistoryRequest has no field words_after",
      // One message stands for tasks and for words, and a list is never absent.
      "pawl.v1.RunningTask.number has no member", "pawl.v1.RunningTask.worker has no member",
      "pawl.v1.RunningTasks.words should be optional",
      // Of executions in lists, which are told without them.
      "pawl.v1.Execution.input has no member", "pawl.v1.Execution.output has no member",
      "pawl.v1.Execution.nodes has no member"};
  std::vector<std::string> faults;
  for (const Method& method : methods()) {
    Comparer request(*method.request->GetDescriptor(), faults);
    compare_one<Call>(request, place_in(call_names(), method.call));
    request.finish({});
    if (method.answer[0] == '\0') continue;
    Comparer response(*method.response->GetDescriptor(), faults);
    compare_one<CallResult>(response, 1 + place_in(answer_names(), method.answer));
    response.finish({});
  }
  Comparer entry(*v1::HistoryEntry::descriptor(), faults);
  compare_all(entry, HistoryEntry{});
  entry.finish({});
  EXPECT_EQ(std::set<std::string>(faults.begin(), faults.end()), wanted);
}

TEST(MessageJsonTest, EveryMethodOfEveryFileHasItsRow) {
  std::set<std::string> in_files, in_table;
  for (const Method& method : methods()) {
    EXPECT_TRUE(in_table.insert(method.path()).second) << method.path() << " has two rows";
    const auto* file =
        google::protobuf::DescriptorPool::generated_pool()->FindServiceByName(service_name(method));
    ASSERT_NE(file, nullptr) << service_name(method);
    const auto* described = file->FindMethodByName(method.name);
    ASSERT_NE(described, nullptr) << method.path();
    EXPECT_EQ(described->input_type(), method.request->GetDescriptor());
    EXPECT_EQ(described->output_type(), method.response->GetDescriptor());
    EXPECT_EQ(described->server_streaming(), method.kind != MethodKind::call);
    for (int i = 0; i < file->method_count(); ++i)
      in_files.insert("/" + file->full_name() + "/" + file->method(i)->name());
  }
  EXPECT_EQ(in_files, in_table);
}

TEST(MessageJsonTest, EveryCallHasAMethod) {
  std::set<std::string_view> reached;
  for (const Method& method : methods()) reached.insert(method.call);
  for (std::string_view call : call_names()) EXPECT_TRUE(reached.contains(call)) << call;
}

TEST(MessageJsonTest, RequestsBecomeMembers) {
  v1::CancelRequest cancel;
  cancel.set_execution("e17");
  cancel.set_item(0);
  cancel.set_reason("too \"late\"");
  EXPECT_EQ(json_of(cancel).value(), R"({"execution":"e17","item":0,"reason":"too \"late\""})");
  v1::SubmitRequest submit;
  submit.set_input_json(R"({"n": 12345678901234567890.000})");
  EXPECT_EQ(json_of(submit).value(), R"({"input":{"n": 12345678901234567890.000}})");
  v1::ConfigureQueueRequest queue;
  queue.set_strategy(v1::STRATEGY_CONSISTENT_HASH);
  queue.set_paused(false);
  EXPECT_EQ(json_of(queue).value(), R"({"strategy":"consistent_hash","paused":false})");
  queue.set_strategy(static_cast<v1::Strategy>(77));
  EXPECT_FALSE(call_from_json("configure_queue", json_of(queue).value()).ok());
  v1::SubmitManyRequest many;
  EXPECT_EQ(json_of(many).value(), R"({"inputs":[]})");
  many.add_inputs_json("{");
  Result<std::string> refused = json_of(many);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, Code::invalid_argument);
  EXPECT_NE(refused.error().message.find("inputs_json"), std::string::npos);
}

TEST(MessageJsonTest, AnswersBecomeMessages) {
  ExecutionDetail detail;
  detail.summary.id = ExecutionId{17};
  detail.summary.status = ExecutionStatus::parked;
  detail.summary.started = WallTime{1'700'000'000'000'000'001};
  detail.summary.labels = R"({"a":[1.50]})";
  detail.input = Payload::inline_json("1e400");
  detail.output = Payload::blob({ExecutionId{17}, 5, 70'000, {1, 2}});
  detail.nodes.push_back({});
  detail.nodes[0].id = "a\"b";
  detail.nodes[0].needs = {"x", "y"};
  v1::Execution message;
  fill(message, to_json(CallResult(detail)));
  EXPECT_EQ(message.id(), "e17");
  EXPECT_EQ(message.status(), v1::EXECUTION_STATUS_PARKED);
  EXPECT_EQ(message.started().seconds(), 1'700'000'000);
  EXPECT_EQ(message.started().nanos(), 1);
  EXPECT_FALSE(message.has_ended());
  EXPECT_EQ(message.labels_json(), R"({"a":[1.50]})");
  EXPECT_EQ(message.input().json(), "1e400");
  EXPECT_EQ(message.output().blob().owner(), 17u);
  EXPECT_EQ(message.output().blob().sequence(), 5u);
  EXPECT_EQ(message.output().blob().hash().high(), 2u);
  EXPECT_EQ(message.nodes(0).id(), "a\"b");
  EXPECT_EQ(message.nodes(0).needs(1), "y");
  v1::ReadContentRequest read;
  *read.mutable_blob() = message.output().blob();
  Result<Call> call = call_from_json("read_payload", json_of(read).value());
  ASSERT_TRUE(call.ok()) << call.error().message;
  EXPECT_EQ(std::get<ReadPayload>(*call).ref, detail.output.ref());
  v1::Settlement newer;  // what a message does not know
  fill(newer, R"({"execution":"e1","status":"sleeping","extra":{"a":[1]}})");
  EXPECT_EQ(newer.status(), v1::EXECUTION_STATUS_UNSPECIFIED);
}

}  // namespace
}  // namespace pawl

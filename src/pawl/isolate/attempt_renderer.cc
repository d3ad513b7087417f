#include "pawl/isolate/attempt_renderer.h"

#include <utility>

#include "pawl/worker/render.h"

namespace pawl {

namespace {

using Wanted = std::vector<const Expression*>;

void add(const Template& text, Wanted& wanted) {
  for (const TemplatePart& part : text.parts)
    if (part.expression) wanted.push_back(&part.expression);
}

Wanted wanted_by(const ProcessSpec& spec) {
  Wanted wanted;
  for (const Template& word : spec.argv) add(word, wanted);
  for (const auto& [name, value] : spec.environment) add(value, wanted);
  add(spec.directory, wanted);
  for (const auto& [name, path] : spec.output_files) add(path, wanted);
  return wanted;
}

using Texts = std::vector<std::pair<std::string, std::string>>;

Result<Texts> rendered(const std::vector<std::pair<std::string, Template>>& named,
                       const Values& values) {
  Texts texts;
  for (const auto& [name, text] : named) {
    PAWL_ASSIGN(std::string value, render_text(text, values));
    texts.emplace_back(name, std::move(value));
  }
  return texts;
}

Result<std::string> directory_of(const ProcessSpec& spec, const Values& values) {
  PAWL_ASSIGN(std::string directory, render_text(spec.directory, values));
  if (spec.base.empty() || directory.starts_with('/')) return directory;
  return directory.empty() ? spec.base : spec.base + "/" + directory;
}

Result<ProcessCommand> command_of(const ProcessSpec& spec, const Result<Values>& known) {
  if (!known.ok()) return known.error();
  const Values& values = *known;
  ProcessCommand command;
  command.shell = spec.shell;
  for (const Template& word : spec.argv) {
    if (spec.shell) {
      PAWL_ASSIGN(std::string line, render_shell(word, values));
      command.argv.push_back(std::move(line));
      continue;
    }
    PAWL_ASSIGN(std::vector<std::string> arguments, render_argument(word, values));
    for (std::string& argument : arguments) command.argv.push_back(std::move(argument));
  }
  if (command.argv.empty() || (!spec.shell && command.argv[0].empty()))
    return Error{Code::invalid_argument, "the command's expressions leave no program to run"};
  PAWL_ASSIGN(command.environment, rendered(spec.environment, values));
  PAWL_ASSIGN(command.directory, directory_of(spec, values));
  PAWL_ASSIGN(command.output_files, rendered(spec.output_files, values));
  command.limits = spec.limits;
  return command;
}

// What a function is given where the node does not say: the item of a mapped node, else the execution's input.
const Expression& subject_of(const Node& node) {
  static const Expression item = make_expression(".item");
  static const Expression input = make_expression(".input");
  return node.mapped() ? item : input;
}

FunctionInputs inputs_of(const Node& node, const ItemValues& items) {
  FunctionInputs inputs;
  inputs.reserve(items.size());
  for (const Result<Values>& values : items) {
    if (!values.ok())
      inputs.push_back(values.error());
    else if (node.with.empty())
      inputs.push_back(values->at(subject_of(node).text));
    else
      inputs.push_back(render_json(node.with, *values));
  }
  return inputs;
}

}  // namespace

std::optional<Result<ProcessCommand>> AttemptRenderer::command(uint64_t launch, const Grant& grant,
                                                               Sink<RenderedCommand>& later) {
  const ProcessSpec& spec = grant.context->definition().process;
  uint64_t id = next_++;
  if (auto items = expressions_.values(id, grant, wanted_by(spec), *this))
    return command_of(spec, items->at(0));
  waiting_[id] = {launch, grant.context, &later, nullptr};
  return std::nullopt;
}

std::optional<Result<FunctionInputs>> AttemptRenderer::inputs(uint64_t launch, const Grant& grant,
                                                              Sink<RenderedInputs>& later) {
  const Node& node = grant.context->definition();
  Wanted wanted;
  if (node.with.empty())
    wanted.push_back(&subject_of(node));
  else
    add(node.with, wanted);
  uint64_t id = next_++;
  if (auto items = expressions_.values(id, grant, wanted, *this))
    return Result<FunctionInputs>(inputs_of(node, *items));
  waiting_[id] = {launch, grant.context, nullptr, &later};
  return std::nullopt;
}

void AttemptRenderer::put(ExpressionValues values) {
  auto found = waiting_.find(values.id);
  PAWL_CHECK(found != waiting_.end(), "values that nobody asked for");
  Waiting asked = std::move(found->second);
  waiting_.erase(found);
  const Node& node = asked.context->definition();
  if (asked.command != nullptr)
    asked.command->put({asked.launch, command_of(node.process, values.items.at(0))});
  else
    asked.inputs->put({asked.launch, inputs_of(node, values.items)});
}

}  // namespace pawl

// How a definition is made ready: loaded, and its expressions compiled, beside the loop.

#include "pawl/api/gateway.h"
#include "pawl/wire/workflow_codec.h"

namespace pawl {
namespace {

constexpr const char* unnamed_definition =
    "definition";  // in its problems: definition:2:13: error: ...

Error problems_error(const std::vector<Problem>& problems) {
  std::string lines;
  for (const Problem& problem : problems)
    lines.append(lines.empty() ? "" : "\n").append(to_text(problem));
  return {Code::invalid_argument, std::move(lines)};
}

// At most `most` different ones.
Status compile(Evaluator& evaluator, const std::vector<ExpressionSite>& sites,
               const std::string& file_name, uint32_t most) {
  std::map<std::string, Status> compiled;
  std::vector<Problem> problems;
  for (const ExpressionSite& site : sites) {
    auto known = compiled.find(site.expression.text);
    if (known == compiled.end()) {
      if (compiled.size() == most) break;
      known = compiled.emplace(site.expression.text, evaluator.check(site.expression.text)).first;
    }
    const Status& checked = known->second;
    if (checked.ok()) continue;
    if (checked.error().code != Code::invalid_argument) return checked;
    problems.push_back({file_name, site.line, site.column, checked.error().message});
    if (problems.size() == definition_problems_max) break;
  }
  if (!problems.empty()) return problems_error(problems);
  return {};
}

// One that begins with an expression may turn out to be absolute.
void begin_directories_at(Workflow& workflow, const std::string& directory) {
  for (Node& node : workflow.nodes) {
    std::vector<TemplatePart>& parts = node.process.directory.parts;
    if (parts.empty()) continue;
    if (parts[0].expression)
      node.process.base = directory;
    else if (!parts[0].literal.starts_with('/'))
      parts[0].literal.insert(0, directory.ends_with('/') ? directory : directory + "/");
  }
}

Hash128 source_of(const RegisterDefinition& request, const std::string& name_space) {
  ByteWriter named;
  named.text(request.file_name);
  named.text(request.definition);
  named.text(request.directory);
  named.text(name_space);
  return hash128(named.view());
}

}  // namespace

// The call begins anew once it is, or is answered with what is wrong.
void Gateway::prepare(uint64_t id, Open& open, const RegisterDefinition& request) {
  if (!request.directory.empty() && !request.directory.starts_with('/'))
    return finish(id,
                  Error{Code::invalid_argument, "the directory of a submission must be absolute"});
  const Hash128 source = source_of(request, open.home);
  open.prepared = prepared_.find(source);
  if (open.prepared != nullptr) return begin(id, open);
  if (auto other = preparing_.find(source); other != preparing_.end())
    return other->second.calls.push_back(id);
  const std::string file_name = request.file_name.empty() ? unnamed_definition : request.file_name;
  Loaded loaded =
      load_definition(request.definition, file_name, options_.limits.definition_bytes_max);
  if (!loaded.ok()) return finish(id, problems_error(loaded.problems));
  auto prepared = std::make_shared<Prepared>();
  prepared->source = source;
  prepared->name_space = open.home;
  prepared->workflow = std::move(loaded.workflow);
  if (!request.directory.empty()) begin_directories_at(prepared->workflow, request.directory);
  prepared->encoded = encode(prepared->workflow);
  prepared->hash = hash128(prepared->encoded);
  std::erase_if(loaded.expressions,
                [](const ExpressionSite& site) { return site.expression.plain; });
  preparing_[source] = {std::move(prepared), {id}};
  if (loaded.expressions.empty()) return end_preparing({source, {}});
  compile_beside(source, std::move(loaded.expressions), file_name);
}

void Gateway::compile_beside(const Hash128& source, std::vector<ExpressionSite> sites,
                             const std::string& file_name) {
  Callback<void()> work = [this, source, sites = std::move(sites), file_name] {
    compiled_.put(
        {source, compile(ports_.evaluator, sites, file_name, options_.expressions_checked_max)});
  };
  if (background_ == nullptr) return work();
  background_->run(std::move(work));
}

void Gateway::end_preparing(Compiled compiled) {
  auto ended = preparing_.extract(compiled.source);
  Preparing& preparing = ended.mapped();
  if (compiled.status.ok()) prepared_.add(preparing.prepared);
  for (uint64_t id : preparing.calls) {
    auto open = open_.find(id);
    if (open == open_.end()) continue;  // forgotten
    if (!compiled.status.ok()) {
      finish(id, compiled.status.error());
      continue;
    }
    open->second.prepared = preparing.prepared;
    begin(id, open->second);
  }
}

}  // namespace pawl

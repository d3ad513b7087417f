#include "pawl/definition/definition.h"

#include <gtest/gtest.h>

namespace pawl {
namespace {

constexpr const char* everything = R"(name: wordcount
version: "1"
input:
  dir: /usr/share/common-licenses
  enabled: true
nodes:
  list:
    run: ls ${ .input.dir }
    output: lines
  count:
    needs: [list]
    for_each: ${ .nodes.list.output }
    command: [wc, -w, "${ .item }"]
    retry: {max_attempts: 3, backoff: {first: 1s, factor: 2.5, max: 30s, jitter: 0.1}, on: [exit_code, timeout, signal]}
    timeout: {run: 30s, queue: 1h, heartbeat: 10s}
    priority: 7
    when: ${ .input.enabled }
    env: {LANG: C, NAME: "${ .item }"}
    directory: /tmp/x
    limits: {memory: 512MiB, cpu: 60s, open_files: 64, file_size: 1GiB}
    files: {report: "out/${ .item }.txt"}
    queue: slow
    resources: {cpu: 0.5, memory: 512MiB, gpu: 1}
    affinity: {require: {disk: ssd}, prefer: {zone: eu-1}, key: "${ .input.dir }"}
    anti_affinity: {require: {class: spot}, prefer: {rack: b7}, apart: worker}
  total:
    needs: [count]
    transform: .nodes.count.output | map(tonumber) | add
  f:
    needs: [total]
    function: square
    with: {n: "${ .nodes.total.output }", why: "for ${ .input.dir }"}
output: ${ .nodes.total.output }
)";

std::string joined(const Loaded& loaded) {
  std::string text;
  for (const Problem& problem : loaded.problems) text += to_text(problem) + "\n";
  return text;
}

TEST(Definition, EveryFieldReachesTheModel) {
  Loaded loaded = load_definition(everything, "w.yaml");
  ASSERT_TRUE(loaded.ok()) << joined(loaded);
  const Workflow& w = loaded.workflow;
  EXPECT_EQ(w.name, "wordcount");
  EXPECT_EQ(w.version, "1");
  EXPECT_EQ(w.input_defaults, R"({"dir":"/usr/share/common-licenses","enabled":true})");
  EXPECT_EQ(w.output.text, ".nodes.total.output");
  ASSERT_EQ(w.nodes.size(), 4u);

  const Node& list = w.nodes[0];
  EXPECT_EQ(list.id, "list");
  EXPECT_TRUE(list.process.shell);
  ASSERT_EQ(list.process.argv.size(), 1u);
  ASSERT_EQ(list.process.argv[0].parts.size(), 2u);
  EXPECT_EQ(list.process.argv[0].parts[0].literal, "ls ");
  EXPECT_EQ(list.process.argv[0].parts[1].expression.text, ".input.dir");
  EXPECT_EQ(list.process.output, OutputMode::lines);

  const Node& count = w.nodes[1];
  EXPECT_EQ(count.needs, std::vector<NodeIndex>{0});
  EXPECT_EQ(count.for_each.text, ".nodes.list.output");
  EXPECT_FALSE(count.process.shell);
  EXPECT_EQ(count.process.argv.size(), 3u);
  EXPECT_EQ(count.retry.max_attempts, 3u);
  EXPECT_EQ(count.retry.backoff_first, Duration::seconds(1));
  EXPECT_EQ(count.retry.backoff_factor_permille, 2500u);
  EXPECT_EQ(count.retry.backoff_max, Duration::seconds(30));
  EXPECT_EQ(count.retry.jitter_permille, 100u);
  EXPECT_EQ(count.retry.retryable, 0b111u);
  EXPECT_EQ(count.timeout.run, Duration::seconds(30));
  EXPECT_EQ(count.timeout.queue, Duration::hours(1));
  EXPECT_EQ(count.timeout.heartbeat, Duration::seconds(10));
  EXPECT_EQ(count.priority, 7);
  EXPECT_EQ(count.when.text, ".input.enabled");
  ASSERT_EQ(count.process.environment.size(), 2u);
  EXPECT_EQ(count.process.environment[1].first, "NAME");
  EXPECT_EQ(count.process.environment[1].second.parts[0].expression.text, ".item");
  EXPECT_EQ(count.process.directory.parts[0].literal, "/tmp/x");
  EXPECT_EQ(count.process.limits.memory_bytes, 512u << 20);
  EXPECT_EQ(count.process.limits.cpu_seconds, 60u);
  EXPECT_EQ(count.process.limits.open_files, 64u);
  EXPECT_EQ(count.process.limits.file_bytes, 1u << 30);
  ASSERT_EQ(count.process.output_files.size(), 1u);
  EXPECT_EQ(count.process.output_files[0].first, "report");
  EXPECT_EQ(count.queue, "slow");
  EXPECT_EQ(count.placement.resources, (Amounts{{"cpu", 500}, {"gpu", 1}, {"memory", 512 << 20}}));
  EXPECT_EQ(count.placement.rules, (std::vector<PlacementRule>{{"disk", "ssd", RuleKind::require},
                                                               {"zone", "eu-1", RuleKind::prefer},
                                                               {"class", "spot", RuleKind::forbid},
                                                               {"rack", "b7", RuleKind::avoid}}));
  EXPECT_EQ(count.placement.apart, Apart::worker);
  EXPECT_EQ(count.placement.key.text, ".input.dir");

  EXPECT_EQ(w.nodes[2].type, NodeType::transform);
  EXPECT_EQ(w.nodes[2].transform.text, ".nodes.count.output | map(tonumber) | add");
  EXPECT_EQ(w.nodes[3].type, NodeType::function);
  EXPECT_EQ(w.nodes[3].function, "square");
  const auto& with = w.nodes[3].with.parts;
  ASSERT_EQ(with.size(), 5u);
  EXPECT_EQ(with[0].literal, "{\"n\":");
  EXPECT_EQ(with[1].expression.text, ".nodes.total.output");
  EXPECT_EQ(with[2].literal, ",\"why\":");
  EXPECT_EQ(with[3].expression.text, "\"for \\(.input.dir)\"");
  EXPECT_EQ(with[4].literal, "}");
}

TEST(Definition, PathsAndNumbersInsideOfValuesAreKeptApartFromJq) {
  Loaded loaded = load_definition(R"(
name: w
nodes:
  a: {for_each: ["${ .input.id }", 12345678901234567890], run: "true"}
output:
  id: |-
    ${ .input.id # the customer
    }
  n: ${ .nodes.a.output | length }
  note: "no. ${ .input.id }"
)",
                                  "w.yaml");
  ASSERT_TRUE(loaded.ok());
  auto shown = [](const Expression& expression) {
    std::string text;
    for (const ExpressionPart& part : expression.parts) text += '<' + part.text + '>';
    return text;
  };
  const Expression& items = loaded.workflow.nodes[0].for_each;
  EXPECT_EQ(items.text, "[(.input.id),12345678901234567890]");
  EXPECT_EQ(shown(items), "<[><.input.id><,12345678901234567890]>");
  EXPECT_EQ(shown(loaded.workflow.output),
            "<{\"id\":><.input.id # the customer><,\"n\":><.nodes.a.output | length>"
            "<,\"note\":\"no. ><.input.id><\"}>");
}

TEST(Definition, EveryExpressionKnowsItsPlace) {
  Loaded loaded = load_definition(everything, "w.yaml");
  std::string sites;
  for (const ExpressionSite& site : loaded.expressions)
    sites += std::to_string(site.line) + ":" + std::to_string(site.column) + " " + site.node + " " +
             site.field + " " + site.expression.text + "\n";
  EXPECT_EQ(sites,
            "8:13 list run .input.dir\n"
            "12:15 count for_each .nodes.list.output\n"
            "13:24 count command[2] .item\n"
            "17:11 count when .input.enabled\n"
            "18:27 count env.NAME .item\n"
            "21:26 count files.report .item\n"
            "24:66 count key .input.dir\n"
            "28:16 total transform .nodes.count.output | map(tonumber) | add\n"
            "32:16 f with .nodes.total.output\n"
            "32:53 f with .input.dir\n"
            "33:9  output .nodes.total.output\n");
}

}  // namespace
}  // namespace pawl

// Time to read a workflow file of 100 nodes: expression-rich, as YAML and on one line as JSON.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <string>

#include "pawl/definition/definition.h"

namespace {

std::string yaml_of(int nodes) {
  std::string text = "name: bench\ninput: {dir: /tmp}\nnodes:\n";
  for (int i = 0; i < nodes; ++i) {
    std::string id = "n" + std::to_string(i);
    text += "  " + id + ":\n    command: [wc, -w, \"${ .input.dir }/${ .item }\"]\n" +
            "    for_each: ${ .input.dir | length }\n    retry: {max_attempts: 3, backoff: 1s}\n" +
            "    timeout: 30s\n    env: {LANG: C, NAME: \"${ .execution.id }\"}\n";
    if (i > 0) text += "    needs: [n" + std::to_string(i / 2) + "]\n";
    if (i > 1) text += "    when: ${ .nodes.n" + std::to_string(i / 2) + ".output[0] != \"x\" }\n";
  }
  return text;
}

std::string json_of(int nodes) {
  std::string text = "{\"name\":\"bench\",\"nodes\":{";
  for (int i = 0; i < nodes; ++i)
    text += (i > 0 ? ",\"n" : "\"n") + std::to_string(i) +
            "\":{\"run\":\"echo ${ .input.a } ${ .input.b | tojson }\",\"retry\":3}";
  return text + "}}";
}

void measure(const char* name, const std::string& text) {
  double best = 1e9;
  for (int round = 0; round < 50; ++round) {
    auto start = std::chrono::steady_clock::now();
    bool ok = pawl::load_definition(text, "bench").ok();
    std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - start;
    if (!ok) {
      std::printf("%s does not load\n", name);
      return;
    }
    best = std::min(best, took.count());
  }
  std::printf("definition %-24s %8zu bytes %8.3f ms\n", name, text.size(), best);
}

}  // namespace

int main() {
  measure("100 nodes, YAML", yaml_of(100));
  measure("100 nodes, JSON", json_of(100));
  measure("3,000 nodes, YAML", yaml_of(3000));
}

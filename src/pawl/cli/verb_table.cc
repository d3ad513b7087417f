#include "pawl/cli/verb_table.h"

namespace pawl::cli {
namespace {

const OptionSpec state_option{"state", 's', "DIR",
                              "state directory (default: $PAWL_STATE, else .pawl)"};
const OptionSpec server_option{"server", 0, "URL", "a server instead (or $PAWL_SERVER)"};
const OptionSpec context_option{"context", 0, "NAME", "a server by its name (pawl context)"};
const OptionSpec output_option{"output", 'o', "text|json", "for people (default) or for machines"};
const OptionSpec jobs_option{"jobs", 'j', "N", "tasks at once (default: one per core)"};
const OptionSpec traceparent_option{"traceparent", 0, "TEXT",
                                    "the trace to belong to (default: TRACEPARENT, if it is set)"};
const OptionSpec log_option{"log", 0, "json|text", "lines for operators, in this form"};
const OptionSpec log_level_option{"log-level", 0, "LEVEL",
                                  "debug, info (default), warn or error and above"};
const OptionSpec quiet_option{"quiet", 'q', "", "no progress"};

VerbEntry run_entry() {
  return {
      {.name = "run",
       .arguments = "FILE [--input NAME=VALUE ...]",
       .summary = "Runs a workflow and waits for its result.",
       .details =
           "Everything is written to the state directory first, so that a run that was\n"
           "interrupted or killed goes on with `pawl resume`. If another pawl holds the\n"
           "directory, the workflow runs there and is watched from here.\n\n"
           "Exit codes: 0 succeeded, 1 failed or parked with dead letters, 2 wrong usage or\n"
           "definition, 3 the state directory cannot be used, 130 interrupted.",
       .options = {{"input", 'i', "NAME=VALUE", "an input: JSON if it is valid JSON, else a text"},
                   {"input-file", 0, "FILE", "all inputs, as a JSON object (- : standard input)"},
                   jobs_option,
                   state_option,
                   server_option,
                   context_option,
                   output_option,
                   quiet_option,
                   {"detach", 0, "",
                    "print its id and leave; a server, or whoever holds it, runs it"},
                   {"request-id", 0, "ID", "the same id again gives the same execution"},
                   traceparent_option,
                   log_option,
                   log_level_option,
                   {"label", 'l', "NAME=VALUE", "a label of the execution"}},
       .examples = {"pawl run nightly.yaml", "pawl run nightly.yaml --input day=7 --jobs 8",
                    "pawl run nightly.yaml --input-file day.json --output json"},
       .positionals_min = 1,
       .positionals_max = 1},
      verb_run};
}

VerbEntry resume_entry() {
  return {{.name = "resume",
           .arguments = "[ID ...]",
           .summary = "Goes on with executions that are not finished: those named, or all.",
           .details = {},
           .options = {jobs_option, state_option, server_option, context_option, output_option,
                       quiet_option},
           .examples = {"pawl resume", "pawl resume e17"},
           .positionals_min = 0,
           .positionals_max = 1000},
          verb_resume};
}

VerbEntry each_entry() {
  return {
      {.name = "each",
       .arguments = "COMMAND [::: ITEM...] | --resume [ID]",
       .summary = "Runs a command for each item, several at once.",
       .details =
           "COMMAND is one word, a shell line ('gzip -k {}'), or several: a program and its\n"
           "arguments. Items stand behind ::: or, one per line, on standard input.\n\n"
           "  {}   the item            {.}  without its extension   {#}   its number from 1\n"
           "  {/}  its last part       {//} its directory           {/.}  last part, no "
           "extension\n\n"
           "Without any of these the item is appended. In a shell line items arrive quoted.\n"
           "Outputs are whole and in the order of the items. What has been done is durable:\n"
           "after a crash or Ctrl-C, `pawl each --resume [ID]` does the rest, and tries again "
           "what\n"
           "failed; it prints the outputs from the beginning. Without ID it is the newest here.\n\n"
           "Exit code 0 only if every command succeeded.",
       .options = {jobs_option,
                   {"unordered", 'u', "", "outputs in the order of completion"},
                   {"retries", 'r', "N", "try a failed item again, up to N times"},
                   {"timeout", 't', "TIME", "end a command after TIME: 30 (seconds), 500ms, 5m"},
                   {"null", '0', "", "items on standard input end with NUL, not newline"},
                   {"arg-file", 'a', "FILE", "items from a file"},
                   {"dry-run", 'n', "", "print the commands, run nothing"},
                   {"resume", 0, "", "do what `pawl each` number ID, or the newest here, did not"},
                   traceparent_option,
                   state_option,
                   server_option,
                   context_option,
                   quiet_option},
       .examples = {"pawl each 'gzip -k {}' ::: *.log",
                    "find . -name '*.png' -print0 | pawl each -0 optipng",
                    "pawl each --jobs 8 --retries 2 curl -sfO ::: $(cat urls)",
                    "pawl each 'convert {} {.}.jpg' ::: *.png"},
       .positionals_min = 0,
       .positionals_max = SIZE_MAX,
       .place = OptionPlace::before_command,
       .no_command = "resume"},
      verb_each};
}

VerbEntry asking(std::string_view name, std::string_view arguments, std::string_view summary,
                 std::vector<OptionSpec> more, std::vector<std::string_view> examples, size_t least,
                 size_t most, Verb run) {
  for (const OptionSpec& place : {state_option, server_option, context_option})
    more.push_back(place);
  more.push_back(output_option);
  return {{.name = name,
           .arguments = arguments,
           .summary = summary,
           .details = {},
           .options = std::move(more),
           .examples = std::move(examples),
           .positionals_min = least,
           .positionals_max = most},
          run};
}

const OptionSpec limit_option{"limit", 'n', "N", "at most so many"};

VerbEntry forget_entry() {
  return {
      {.name = "forget",
       .arguments = "ID... | --ended-before TIME",
       .summary = "Removes executions that have ended, for good.",
       .details =
           "State, history, payloads and output files go; files that a workflow declared as its\n"
           "outputs stay. A request id stays used for at least seven more days of running time:\n"
           "submitting it again is still answered with the forgotten execution. What has not\n"
           "ended is never forgotten.",
       .options = {{"ended-before", 0, "TIME", "all that ended longer ago than TIME: 7d, 12h"},
                   {"dry-run", 'n', "", "show what would be forgotten, forget nothing"},
                   state_option,
                   server_option,
                   context_option,
                   output_option},
       .examples = {"pawl forget e17 e18", "pawl forget --ended-before 30d",
                    "pawl forget --ended-before 30d --dry-run"},
       .positionals_min = 0,
       .positionals_max = SIZE_MAX},
      verb_forget};
}

const OptionSpec tls_option{"tls", 0, "DIR",
                            "folder of keys, as `pawl init` makes it; needed off this machine"};

VerbEntry server_entry() {
  return {
      {.name = "server",
       .arguments = "",
       .summary = "Holds a state directory and gives its work to workers.",
       .details =
           "Clients reach it through the state directory, as they reach any process that holds\n"
           "it; workers through --listen. It runs no tasks itself unless --jobs says so. When it\n"
           "is started again, workers go on with what they were running.",
       .options =
           {{"listen", 0, "HOST:PORT",
             "for workers, and clients over gRPC (default: 127.0.0.1:7070)"},
            tls_option,
            {"http", 0, "HOST:PORT", "for clients: REST, event streams, WebSockets"},
            {"jobs", 'j', "N", "tasks to run here at once (default: none)"},
            {"partitions", 0, "N", "logs of a new directory, each with a thread (default: 1)"},
            {"memory", 0, "SIZE", "for open executions (default: a quarter of what there is)"},
            {"drain", 0, "TIME", "at the end, be not ready for so long before stopping"},
            {"calls-per-second", 0, "N[:BURST]", "of each caller, with --tls"},
            {"namespace-open", 0, "N", "open executions of a namespace (default: 1,000,000)"},
            log_option,
            log_level_option,
            state_option},
       .examples = {"pawl server", "pawl server --state /var/lib/pawl --listen 127.0.0.1:7070",
                    "pawl server --http 127.0.0.1:8080"},
       .positionals_min = 0,
       .positionals_max = 0},
      verb_server};
}

VerbEntry worker_entry() {
  return {
      {.name = "worker",
       .arguments = "",
       .summary = "Runs tasks for a server.",
       .details =
           "Connects to the server, and again when the connection breaks or the server is\n"
           "started anew: what runs goes on meanwhile, for as long as its lease lasts. Keeps no\n"
           "state.\n\n"
           "On SIGTERM or Ctrl-C it takes nothing more and lets what runs finish, for at most\n"
           "--drain; then, or on a second signal, it ends what runs, which others then get.\n"
           "Exit codes: 0 everything had finished, 1 something was ended.",
       .options = {{"server", 0, "HOST:PORT", "of the server (default: 127.0.0.1:7070)"},
                   tls_option,
                   jobs_option,
                   {"name", 0, "NAME", "for people (default: this machine's name)"},
                   {"queue", 'q', "NAME", "serve this queue, and others named so (default: all)"},
                   {"label", 'l', "NAME=VALUE", "what nodes may ask for, as disk=ssd"},
                   {"zone", 'z', "ZONE", "where it stands"},
                   {"capacity", 'c', "NAME=N",
                    "cpu=3.5, memory=8GiB, gpu=1; else what the machine has"},
                   {"weight", 'w', "N", "of its turns in a weighted round robin (default: 1)"},
                   {"price", 0, "N", "per hour, in any unit: of equals the cheapest gets a task"},
                   {"drain", 0, "TIME", "for what runs at the end (default: 30s)"},
                   {"metrics", 0, "HOST:PORT", "GET /metrics, /livez and /readyz of this worker"},
                   log_option,
                   log_level_option},
       .examples = {"pawl worker", "pawl worker --server 10.0.0.1:7070 --jobs 16 --name big",
                    "pawl worker --label disk=ssd --zone eu-1 --capacity gpu=2 --queue train"},
       .positionals_min = 0,
       .positionals_max = 0},
      verb_worker};
}

VerbEntry top_entry() {
  return {
      {.name = "top",
       .arguments = "",
       .summary = "Shows workers, queues and executions, fresh every second.",
       .details =
           "q ends it. Where there is no terminal, or nobody has the directory open, it shows\n"
           "them once.",
       .options = {{"once", 0, "", "show them once"}, state_option, server_option, context_option},
       .examples = {"pawl top", "pawl top --once"},
       .positionals_min = 0,
       .positionals_max = 0},
      verb_top};
}

VerbEntry queue_entry() {
  return {
      {.name = "queue",
       .arguments = "[list | set NAME OPTION...]",
       .summary = "Shows the queues, or says how one is handed out.",
       .details =
           "What is set is durable, and holds from the next task on.\n\n"
           "  least_loaded          the worker with the largest free share (default)\n"
           "  round_robin           one after the other\n"
           "  weighted_round_robin  the same, as often as the workers' weights say\n"
           "  consistent_hash       the same task on the same worker, as long as it has room\n"
           "  pack                  the fullest worker that has room: big tasks find some too\n"
           "  spread                the emptiest worker",
       .options = {{"placement", 'p', "STRATEGY", "which of the workers that could gets a task"},
                   {"concurrency", 'c', "N", "tasks running at once; 0: no limit"},
                   {"rate", 'r', "N", "tasks started per second, as 0.5; 0: no limit"},
                   {"burst", 'b', "N", "so many of them at once after a rest"},
                   {"waiting", 'w', "N", "tasks waiting, then refuse more; 0: no limit"},
                   {"aging", 'a', "TIME", "waiting so long is worth one priority"},
                   {"pause", 0, "", "start nothing more"},
                   {"resume", 0, "", "go on"},
                   state_option,
                   server_option,
                   context_option,
                   output_option},
       .examples = {"pawl queue list", "pawl queue set default --placement pack",
                    "pawl queue set mail --concurrency 4 --rate 2.5 --burst 10",
                    "pawl queue set mail --pause", "pawl queue set mail --waiting 10000"},
       .positionals_min = 0,
       .positionals_max = 2},
      verb_queue};
}

VerbEntry context_entry() {
  return {
      {.name = "context",
       .arguments = "[list] | add NAME --server URL | use NAME | remove NAME",
       .summary = "Keeps servers by name, so that verbs go to them.",
       .details = "`pawl context use local` goes back to this machine's state directory. Files\n"
                  "are named, not copied; what is kept stands in ~/.config/pawl/config.json.",
       .options = {{"server", 0, "URL", "http://HOST:PORT or https://HOST"},
                   {"token-file", 0, "FILE", "holds the token that says who you are"},
                   {"ca", 0, "FILE", "of the authority that has signed the server's certificate"},
                   {"certificate", 0, "FILE", "yours, instead of a token"},
                   {"key", 0, "FILE", "of your certificate"},
                   output_option},
       .examples = {"pawl context add prod --server https://pawl.example.org --ca ca.pem "
                    "--token-file token",
                    "pawl context use prod", "pawl list --context prod"},
       .positionals_min = 0,
       .positionals_max = 2},
      verb_context};
}

VerbEntry verify_entry() {
  return {{.name = "verify",
           .arguments = "",
           .summary = "Proves a state directory from its bytes; changes nothing.",
           .details = {},
           .options = {state_option, output_option},
           .examples = {"pawl verify", "pawl verify --state /var/lib/pawl"},
           .positionals_min = 0,
           .positionals_max = 0},
          verb_verify};
}

const OptionSpec keys_option{"dir", 'd', "DIR", "folder of keys (default: ~/.config/pawl)"};
const OptionSpec force_option{"force", 0, "", "write over what is there"};
const OptionSpec host_option{"host", 0, "NAME", "a name or address that it serves under"};
const OptionSpec role_option{"role", 0, "ROLE", "reader, submitter, worker, operator or admin"};
const OptionSpec namespace_option{"namespace", 0, "NAME", "all it sees (default: default)"};
const OptionSpec valid_option{"for", 0, "TIME", "how long it is valid: 30d, 12h"};
const OptionSpec caller_option{"name", 0, "NAME", "whose it is, for labels and the audit"};

VerbEntry init_entry() {
  return {{.name = "init",
           .arguments = "",
           .summary = "Makes the keys of a cluster: an authority, certificates, an admin's token.",
           .details = "Nothing is written over. docs/security.md says what each file is for.",
           .options = {keys_option, host_option, force_option},
           .examples = {"pawl init", "pawl init --dir /etc/pawl --host pawl.example.org"},
           .positionals_min = 0,
           .positionals_max = 0},
          verb_init};
}

VerbEntry certificate_entry() {
  return {{.name = "certificate",
           .arguments = "",
           .summary = "Makes a certificate and its key, signed by the authority of `pawl init`.",
           .details = "For a worker, unless --role says otherwise; with --host for a server.",
           .options = {caller_option, role_option, namespace_option, valid_option, host_option,
                       keys_option, force_option},
           .examples = {"pawl certificate --name w1",
                        "pawl certificate --name ann --role operator --namespace team-a"},
           .positionals_min = 0,
           .positionals_max = 0},
          verb_certificate};
}

VerbEntry token_entry() {
  return {{.name = "token",
           .arguments = "",
           .summary = "Prints a token, signed by the authority of `pawl init`.",
           .details = "Whoever shows it may what its roles may, until it expires or is revoked.",
           .options = {role_option, namespace_option, caller_option, valid_option, keys_option},
           .examples = {"pawl token --role submitter --namespace team-a --for 30d",
                        "pawl token --role reader --role operator --name ann"},
           .positionals_min = 0,
           .positionals_max = 0},
          verb_token};
}

std::vector<VerbEntry> all_verbs() {
  std::vector<VerbEntry> all;
  all.push_back(run_entry());
  all.push_back(each_entry());
  all.push_back(resume_entry());
  all.push_back(server_entry());
  all.push_back(worker_entry());
  all.push_back(asking("list", "", "Lists executions, the newest first.", {limit_option},
                       {"pawl list", "pawl list --limit 10 --output json"}, 0, 0, verb_list));
  all.push_back(asking(
      "show", "[ID[/NODE[ITEM]]]", "Shows an execution (the newest), or a task of it.", {},
      {"pawl show e17", "pawl show e17 --output json", "pawl show 'e17/a[3]'"}, 0, 1, verb_show));
  all.push_back(asking("logs", "ID[/NODE[ITEM]]", "Prints what the programs of an execution wrote.",
                       {{"follow", 'f', "", "go on until the execution has settled"}},
                       {"pawl logs e17", "pawl logs e17/count", "pawl logs 'e17/count[3]' -f"}, 1,
                       2, verb_logs));
  all.push_back(asking("history", "[ID]", "Prints what happened, event by event.", {limit_option},
                       {"pawl history e17"}, 0, 1, verb_history));
  all.push_back(asking("why", "ID[/NODE[ITEM]]",
                       "Says why something is not running, and what would change it.", {},
                       {"pawl why e17", "pawl why 'e17/count[42]'"}, 1, 1, verb_why));
  all.push_back(asking(
      "cancel", "ID[/NODE[ITEM]]", "Cancels an execution, a node without items, or one item.",
      {{"reason", 0, "TEXT", "why, for the history"}},
      {"pawl cancel e17", "pawl cancel 'e17/count[42]' --reason 'wrong file'"}, 1, 1, verb_cancel));
  all.push_back(asking("dead-letters", "[list|redrive|discard] [ID[/NODE[ITEM]]]",
                       "Shows, tries again or gives up tasks that failed for good.", {},
                       {"pawl dead-letters", "pawl dead-letters redrive e17",
                        "pawl dead-letters discard 'e17/upload[2]'"},
                       0, 2, verb_dead_letters));
  all.push_back(top_entry());
  all.push_back(queue_entry());
  all.push_back(asking("workers", "", "Lists the connected workers and what they have free.", {},
                       {"pawl workers", "pawl workers --output json"}, 0, 0, verb_workers));
  all.push_back(forget_entry());
  all.push_back(context_entry());
  all.push_back({{.name = "validate",
                  .arguments = "FILE...",
                  .summary = "Checks workflow files and shows every problem with its place.",
                  .details = {},
                  .options = {output_option},
                  .examples = {"pawl validate nightly.yaml"},
                  .positionals_min = 1,
                  .positionals_max = SIZE_MAX},
                 verb_validate});
  all.push_back({{.name = "graph",
                  .arguments = "FILE",
                  .summary = "Prints a workflow as a Mermaid diagram.",
                  .details = {},
                  .options = {},
                  .examples = {"pawl graph nightly.yaml > nightly.mmd"},
                  .positionals_min = 1,
                  .positionals_max = 1},
                 verb_graph});
  all.push_back(verify_entry());
  for (auto entry : {init_entry, certificate_entry, token_entry}) all.push_back(entry());
  all.push_back(
      {{.name = "bench",
        .arguments = "",
        .summary = "Measures this disk and machine: tasks against bare durable writes.",
        .details =
            "C++ functions, jq transformations and processes, all durable. Works in a directory "
            "of its own below the current one, and removes it.",
        .options = {},
        .examples = {"pawl bench"},
        .positionals_min = 0,
        .positionals_max = 0},
       verb_bench});
  return all;
}

}  // namespace

const std::vector<VerbEntry>& verb_table() {
  static const std::vector<VerbEntry> table = all_verbs();
  return table;
}

std::string overview() {
  std::string text =
      "Usage: pawl VERB [OPTIONS]\n\n"
      "Runs workflows so that work once accepted never slips back.\n\n";
  for (const VerbEntry& entry : verb_table()) {
    std::string name(entry.spec.name);
    text += "  " + padded(name, 14) + std::string(entry.spec.summary) + "\n";
  }
  text += "  " + padded("version", 14) + "Prints the version.\n";
  text += "  " + padded("help [VERB]", 14) + "Shows this text, or all about a verb.\n";
  text +=
      "\nExamples:\n"
      "  pawl run examples/wordcount.yaml\n"
      "  pawl each 'gzip -k {}' ::: *.log\n"
      "  pawl resume\n\n"
      "Executions live in a state directory: --state DIR, else $PAWL_STATE, else .pawl\n";
  return text;
}

}  // namespace pawl::cli

// Workflow semantics as small text files. Each line is a step; after every step the partition is
// checked against itself, against a replay of its log, and against its newest checkpoint.
//
//   workflow                       YAML of a workflow file, indented; known by its `name`
//   limit NAME NUMBER              before everything else
//   worker [credit N] [slots N] [functions a,b] [types process,transform] [lease 10s]     w1, w2, ...
//       [name N] [zone Z] [labels a=b,c=d] [capacity cpu=2000,gpu=1] [queues a,b] [weight N]
//   queue NAME [strategy S] [paused true] [concurrency N] [rate_permille N] [burst N] [aging 10s]
//       [waiting N]
//   close w1 | renew w1
//   submit NAME [request ID] [labels JSON] [input JSON]                          e1, e2, ...
//   succeed TASKS [= JSON | = item]      what is open of e1/a, e1/m[3], e1/m[0..9], e1/m
//   fail TASKS [KIND [NUMBER]]           exit_code 1 unless it says otherwise
//   return TASKS | return nothing by w1  the answer to a recall: what of it had not begun
//   keep TASK as NAME                    remembers an attempt; then, whenever:
//   report NAME [by w2] [nonce N] [attempt N]      a success of that attempt
//   evaluate e1/a = JSON | evaluate e1/a fails TEXT       e1 alone: the execution's output
//   cancel TARGET | redrive TARGET | discard TARGET | forget e1
//   advance 10s                          and a tick; 0s: the clock does not move
//   checkpoint | restart                 restart: what memory held is gone
//
// What must be so:
//
//   again 900ms..1100ms            when the step that was refused last may come again
//   refused CODE [TEXT]            the step before; a refusal that is not expected fails the
//   scenario replied NUMBER                 the number in the last reply expect e1 STATUS [output
//   JSON] [error TEXT] expect e1/a STATUS [COUNT NUMBER]... [attempts N] [output JSON] [error TEXT]
//   expect e1/a[0] STATUS [attempts N] [failures N] [retry_in 900ms..1100ms] [output JSON]
//   dispatched [TASKS[#ATTEMPT][@w1]]...   exactly these, in this order, since the last such line
//   asked [TARGET:condition|items|output]...      likewise
//   recalled [TASKS[@w1]]...       likewise: what workers were asked to give back
//   stopped [TASKS]... | settled [e1:STATUS]...   likewise
//   why TARGET CODE... [: TEXT]    the reasons' codes in order, and a part of what they say
//   letters TARGET [TASKS]...      the dead letters
//   overview [COUNT NUMBER]...     ready, running, parked, open, workers
//   next DURATION | next never     when a tick is due
#pragma once

#include <string>
#include <string_view>

namespace pawl {

// Empty: all went as the text says. Otherwise "line 12: expect e1 parked: it is running".
std::string run_scenario(std::string_view text);

}  // namespace pawl

// No-op tasks through BullMQ with Redis: `node run.mjs PORT TASKS` prints tasks per second, submission to last result.
// The worker is a process of its own that takes 100 at once; jobs are added in bulks of 1,000.
import { fork } from "node:child_process";
import { Queue, QueueEvents, Worker } from "bullmq";

const [port, tasks, role] = process.argv.slice(2);
const connection = { host: "127.0.0.1", port: Number(port), maxRetriesPerRequest: null };
const bulk = 1000;

// The library tries again for ever; a benchmark does not.
const giveUp = (error) => { console.error(error); process.exit(1); };
process.on("uncaughtException", giveUp);
process.on("unhandledRejection", giveUp);
process.on("disconnect", () => process.exit(0));

if (role === "worker") {
  new Worker("bench", async () => null, { connection, concurrency: 100 }).on("error", giveUp);
} else {
  const worker = fork(process.argv[1], [port, tasks, "worker"]);
  const queue = new Queue("bench", { connection }).on("error", giveUp);
  const events = new QueueEvents("bench", { connection }).on("error", giveUp);
  await events.waitUntilReady();
  let ended = 0;
  let tell;
  const until = (count) => new Promise((resolve) => (tell = () => ended >= count && resolve()));
  events.on("completed", () => { ended += 1; tell(); });
  const first = until(1);
  await queue.add("nothing", {});
  await first;
  const all = until(1 + Number(tasks));
  const start = performance.now();
  for (let done = 0; done < tasks; done += bulk) {
    await queue.addBulk(Array.from({ length: Math.min(bulk, tasks - done) }, () => ({ name: "nothing", data: {} })));
  }
  await all;
  console.log((1000 * tasks) / (performance.now() - start));
  worker.kill();
  process.exit(0);
}

// Speaks with a server as a program in Node does, and prints what it was told: client.js PROTO HOST:PORT DEFINITION ENDLESS
const grpc = require("@grpc/grpc-js");
const loader = require("@grpc/proto-loader");

const [proto, address, definition, endless] = process.argv.slice(2);
const options = {includeDirs: [proto], keepCase: true, longs: String, enums: String, oneofs: true, arrays: true};
const files = ["executions", "cluster"].map((name) => `pawl/v1/${name}.proto`);
const v1 = grpc.loadPackageDefinition(loader.loadSync(files, options)).pawl.v1;
const executions = new v1.Executions(address, grpc.credentials.createInsecure());

function ask(name, request) {
  return new Promise((told, refused) => {
    const deadline = Date.now() + 30_000;
    executions[name](request, {deadline}, (error, answer) => (error ? refused(error) : told(answer)));
  });
}

function watch(request) {
  return new Promise((told, refused) => {
    const updates = [];
    const stream = executions.Watch(request);
    stream.on("data", (update) => updates.push(update));
    stream.on("error", refused);
    stream.on("end", () => told(updates));
  });
}

async function main() {
  const {execution} = await ask("Submit", {definition, input_json: '{"n":12345678901234567890}'});
  const updates = await watch({execution});
  const {entries} = await ask("GetHistory", {execution});
  const state = updates[updates.length - 1].state;
  const running = (await ask("Submit", {definition: endless})).execution;
  const cancelling = watch({execution: running});
  const {count} = await ask("Cancel", {execution: running, reason: "enough"});
  const cancelled = (await cancelling).pop().state.status;
  const refusal = await ask("Get", {execution: "e99"}).catch((error) => error);
  console.log(JSON.stringify({
    execution,
    status: state.status,
    output: state.output.json.toString(),
    watched: updates.flatMap((update) => update.events.map((one) => `${one.position}-${one.index}`)),
    history: entries.map((one) => `${one.position}-${one.index}`),
    cancelled: [Number(count), cancelled],
    refusal: [refusal.code, refusal.details],
  }));
  executions.close();
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});

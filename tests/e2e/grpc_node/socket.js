// Speaks with a server over one WebSocket as a program in Node does, and prints what it was told:
// socket.js URL ENDLESS
const WebSocket = require("ws");

const [url, endless] = process.argv.slice(2);
const socket = new WebSocket(`${url.replace("http", "ws")}/v1/ws`, "pawl.v1");
const waiting = new Map();
const events = [];
let last = 0;

function ask(call, input) {
  return new Promise((told, refused) => {
    waiting.set(++last, [told, refused]);
    socket.send(JSON.stringify({ticket: last, call, with: input}));
  });
}

socket.on("message", (data) => {
  const message = JSON.parse(data.toString());
  if (message.event) return events.push(message.event.event);
  if (message.progress) return;  // of a watch, too
  const [told, refused] = waiting.get(message.ticket);
  waiting.delete(message.ticket);
  message.error ? refused(message.error) : told(message.with);
});

async function main() {
  const {execution} = await ask("submit", {definition: endless});
  const watched = ask("watch", {execution});
  const {count} = await ask("cancel", {execution, reason: "enough"});
  const {status} = await watched;
  const refusal = await ask("cancel", {execution: "e99"}).catch((error) => error);
  console.log(JSON.stringify({protocol: socket.protocol, execution, count, status, events, refusal}));
  socket.close();
}

socket.on("open", () => main().catch((error) => {
  console.error(error);
  process.exit(1);
}));
socket.on("error", (error) => {
  console.error(error);
  process.exit(1);
});

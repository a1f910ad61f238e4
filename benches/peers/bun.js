// Bun's native publish. `KEEP=1` stores each message in SQLite first, a transaction each, synced as Madang does.
import { Database } from "bun:sqlite";

const last = new Map();
let keep = () => {};
if (process.env.KEEP) {
  const database = new Database(process.env.KEEP, { create: true });
  database.run("PRAGMA journal_mode = WAL");
  database.run("PRAGMA synchronous = FULL");
  database.run("CREATE TABLE messages (room TEXT, seq INTEGER, id TEXT, sender TEXT, body TEXT, at TEXT, PRIMARY KEY (room, seq), UNIQUE (room, id)) WITHOUT ROWID");
  const insert = database.query("INSERT INTO messages VALUES (?, ?, ?, ?, ?, ?)");
  keep = (said) => insert.run(said.roomId, said.seq, said.id, said.sender, said.message, said.at);
}

const server = Bun.serve({
  hostname: "127.0.0.1",
  port: 0,
  fetch: (request, server) => (server.upgrade(request, { data: {} }) ? undefined : new Response("a chat", { status: 426 })),
  websocket: {
    message(socket, text) {
      const heard = JSON.parse(text);
      if (heard.type === "ENTER") {
        socket.data = { room: heard.roomId, sender: heard.sender };
        socket.subscribe(heard.roomId);
        socket.send('{"type":"ROOM"}');
      } else if (heard.type === "TALK") {
        const { room, sender } = socket.data;
        const seq = (last.get(room) ?? 0) + 1;
        last.set(room, seq);
        const said = { type: "TALK", roomId: room, sender, message: heard.message, id: heard.id, seq, rev: seq, at: new Date().toISOString(), guest: "abcd" };
        keep(said);
        server.publish(room, JSON.stringify(said));
      }
    },
  },
});
console.log(`listening on 127.0.0.1:${server.port}`);

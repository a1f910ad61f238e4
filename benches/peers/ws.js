// ws on Node: the usual loop over a room's sockets, with the frame serialised once.
import { WebSocketServer } from "ws";

const rooms = new Map();
const server = new WebSocketServer({ host: "127.0.0.1", port: 0, perMessageDeflate: false });
server.on("connection", (socket) => {
  let room, sender;
  socket.on("message", (text) => {
    const heard = JSON.parse(text);
    if (heard.type === "ENTER") {
      sender = heard.sender;
      room = rooms.get(heard.roomId) ?? { id: heard.roomId, last: 0, members: new Set() };
      rooms.set(room.id, room);
      room.members.add(socket);
      socket.send('{"type":"ROOM"}');
    } else if (heard.type === "TALK") {
      const seq = ++room.last;
      const said = { type: "TALK", roomId: room.id, sender, message: heard.message, id: heard.id, seq, rev: seq, at: new Date().toISOString(), guest: "abcd" };
      const bytes = Buffer.from(JSON.stringify(said));
      for (const member of room.members) member.send(bytes, { binary: false });
    }
  });
  socket.on("close", () => room?.members.delete(socket));
});
server.on("listening", () => console.log(`listening on 127.0.0.1:${server.address().port}`));

// Socket.IO on Node, by its own rooms, over WebSocket alone.
import { createServer } from "node:http";
import { Server } from "socket.io";

const last = new Map();
const http = createServer();
const server = new Server(http, { transports: ["websocket"], perMessageDeflate: false });
server.on("connection", (socket) => {
  let room, sender;
  socket.on("ENTER", (heard) => {
    ({ roomId: room, sender } = heard);
    socket.join(room);
    socket.emit("ROOM", {});
  });
  socket.on("TALK", (heard) => {
    const seq = (last.get(room) ?? 0) + 1;
    last.set(room, seq);
    server.to(room).emit("TALK", { roomId: room, sender, message: heard.message, id: heard.id, seq, rev: seq, at: new Date().toISOString(), guest: "abcd" });
  });
});
http.listen(0, "127.0.0.1", () => console.log(`listening on 127.0.0.1:${http.address().port}`));

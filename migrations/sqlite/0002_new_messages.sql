-- A new message is a change of its room: one statement stores both, and moves the room's number.
CREATE TRIGGER messages_new AFTER INSERT ON messages BEGIN
    INSERT INTO changes (room, number, seq, kind) VALUES (new.room, new.rev, new.seq, 'new');
    UPDATE rooms SET head = new.rev WHERE number = new.room;
END;

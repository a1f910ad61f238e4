-- How many messages were ever said in a room: whoever knows the count of a moment ago knows how many are new.
ALTER TABLE rooms ADD COLUMN messages INTEGER NOT NULL DEFAULT 0;
UPDATE rooms SET messages = (SELECT count(*) FROM messages WHERE room = rooms.number);

DROP TRIGGER messages_new;
CREATE TRIGGER messages_new AFTER INSERT ON messages BEGIN
    INSERT INTO changes (room, number, seq, kind) VALUES (new.room, new.rev, new.seq, 'new');
    UPDATE rooms SET head = new.rev, messages = messages + 1 WHERE number = new.room;
END;

//! What every store promises, told as one story and tried on each.

use super::{Applied, Change, Mark, NewMessage, Person, Slice, Sqlite, Store, TokenHash};
use crate::domain::{
    Author, AuthorKind, Body, DisplayName, Emoji, Error, Message, MessageId, PersonId, Reaction, RoomId, RoomName, Seq,
    Timestamp, Topic, Window, limits,
};
use std::path::Path;

const NOW: Timestamp = 1_795_375_043_042;
const DAY: Timestamp = 24 * 60 * 60 * 1_000;

#[tokio::test]
async fn sqlite_keeps_every_promise() {
    let directory = tempfile::tempdir().expect("a directory");
    every_promise(async || open_sqlite(&directory.path().join("madang.db")).await).await;
}

#[tokio::test]
async fn memory_keeps_every_promise_but_to_outlive_the_process() {
    let memory = super::memory::Memory::new(NOW);
    every_promise(async || Box::new(memory.reopened()) as Box<dyn Store>).await;
}

async fn open_sqlite(path: &Path) -> Box<dyn Store> {
    Box::new(Sqlite::open(path, NOW).await.expect("a database"))
}

/// `open` opens the same store each time, the first time a fresh one.
async fn every_promise(open: impl AsyncFn() -> Box<dyn Store>) {
    let store = open().await;
    let lobby = a_fresh_store_has_one_room_the_lobby(&*store).await;
    let room = rooms_are_listed_in_the_order_in_which_they_were_made(&*store, lobby).await;
    let first = messages_are_numbered_from_1_without_gap(&*store, room).await;
    a_repeat_is_the_same_message_and_anything_else_under_its_id_a_conflict(&*store, room, &first).await;
    a_refused_message_does_not_hinder_the_others(&*store, room).await;
    a_reply_quotes_what_it_answers(&*store, room, &first).await;
    pages_go_back_and_changes_go_on(&*store, room).await;
    a_name_is_held_by_one_person_until_it_is_released(&*store).await;
    a_name_that_nobody_used_for_long_is_taken_over(&*store).await;
    its_author_changes_a_message_and_nobody_else(&*store).await;
    reactions_are_changes_too_and_count_once(&*store).await;
    a_read_mark_goes_forward_unless_it_is_meant_to_go_back(&*store).await;
    unread_are_the_messages_of_others_that_still_stand(&*store).await;
    a_room_is_renamed_by_whoever_made_it(&*store).await;
    let (epoch, content) = (store.epoch(), everything(&*store, room).await);
    store.close().await;

    let store = open().await;
    assert_eq!((store.epoch(), store.lobby()), (epoch, lobby), "the same history");
    assert_eq!(everything(&*store, room).await, content, "all of it");
    assert_eq!(
        append_one(&*store, &said(room, "mina", &first)).await,
        Ok(Applied::Unchanged(first)),
        "a retry over a restart"
    );
    store.close().await;
    assert_eq!(store.check().await, Err(Error::StorageUnavailable));
}

async fn a_fresh_store_has_one_room_the_lobby(store: &dyn Store) -> RoomId {
    assert_eq!(store.check().await, Ok(()));
    let rooms = store.rooms(None, 99).await.expect("rooms");
    let [lobby] = rooms.as_slice() else { panic!("{rooms:?}") };
    assert_eq!((lobby.id, lobby.lobby, lobby.head, &lobby.last), (store.lobby(), true, 0, &None));
    assert_eq!(lobby.created_at, NOW);
    assert_eq!(store.held_names().await, Ok(Vec::new()));
    lobby.id
}

async fn rooms_are_listed_in_the_order_in_which_they_were_made(store: &dyn Store, lobby: RoomId) -> RoomId {
    let mut made = vec![lobby];
    for name in ["나중에", "먼저", "먼저"] {
        let id = RoomId::new();
        let room = store.create_room(id, &room_name(name), None, NOW).await.expect("a room");
        assert_eq!((room.id, room.name.as_str(), room.lobby, room.head, &room.last), (id, name, false, 0, &None));
        assert_eq!(store.room(id).await, Ok(room));
        made.push(id);
    }
    let listed: Vec<RoomId> = store.rooms(None, 99).await.expect("rooms").iter().map(|room| room.id).collect();
    assert_eq!(listed, made);
    for (after, limit, expected) in [
        (None, 2, &made[..2]),
        (Some(made[1]), 99, &made[2..]),
        (Some(made[3]), 99, &[]),
        (Some(RoomId::new()), 1, &made[..1]),
    ] {
        let page: Vec<RoomId> = store.rooms(after, limit).await.expect("rooms").iter().map(|room| room.id).collect();
        assert_eq!(page, expected, "{limit} after {after:?}");
    }
    assert_eq!(store.room(RoomId::new()).await, Err(Error::RoomNotFound));
    made[1]
}

async fn messages_are_numbered_from_1_without_gap(store: &dyn Store, room: RoomId) -> Message {
    let messages: Vec<NewMessage> = (1..=5).map(|n| message(room, "mina", &format!("line {n}"))).collect();
    let stored = store.apply(&messages.iter().cloned().map(Change::from).collect::<Vec<_>>()).await.expect("stored");
    for (n, (message, outcome)) in (1..).zip(messages.iter().zip(&stored)) {
        let Ok(Applied::Changed(stored)) = outcome else { panic!("{outcome:?}") };
        assert_eq!((stored.seq, stored.rev, stored.id, stored.at), (n, n, message.id, NOW));
        assert_eq!((&stored.author, stored.body.as_str()), (&message.author, message.body.as_str()));
    }
    let elsewhere = store.rooms(None, 99).await.expect("rooms")[2].id;
    assert_eq!(
        append_one(store, &message(elsewhere, "mina", "a line of its own")).await.map(seq),
        Ok(1),
        "each room counts for itself"
    );
    let summary = store.room(room).await.expect("the room");
    assert_eq!((summary.head, summary.last), (5, Some(("mina".into(), "line 5".into(), NOW))));
    let Ok(Applied::Changed(first)) = stored[0].clone() else { panic!("{stored:?}") };
    first
}

async fn a_repeat_is_the_same_message_and_anything_else_under_its_id_a_conflict(
    store: &dyn Store,
    room: RoomId,
    first: &Message,
) {
    let repeat = said(room, "mina", first);
    let later = NewMessage { at: NOW + 1, author: guest("mina", "zzzz"), ..repeat.clone() };
    assert_eq!(
        append_one(store, &later).await,
        Ok(Applied::Unchanged(first.clone())),
        "a guest is their name, not their tag"
    );
    for other in [
        NewMessage { body: body("line 1 "), ..repeat.clone() },
        NewMessage { author: guest("minho", "ab12"), ..repeat.clone() },
        NewMessage { author: person_author("mina", PersonId::new()), ..repeat.clone() },
        NewMessage { reply_to: Some(first.id), ..repeat.clone() },
    ] {
        assert_eq!(append_one(store, &other).await, Err(Error::IdConflict), "{other:?}");
    }
    let elsewhere = store.rooms(None, 99).await.expect("rooms")[3].id;
    let there = NewMessage { room: elsewhere, ..repeat };
    assert_eq!(append_one(store, &there).await.map(seq), Ok(1), "an id is unique in its room");

    let twice = message(room, "mina", "twice in one batch");
    let outcomes = store.apply(&[twice.clone().into(), twice.into()]).await.expect("stored");
    assert!(
        matches!(outcomes.as_slice(), [Ok(Applied::Changed(a)), Ok(Applied::Unchanged(b))] if a == b && a.seq == 6),
        "{outcomes:?}"
    );
}

async fn a_refused_message_does_not_hinder_the_others(store: &dyn Store, room: RoomId) {
    let outcomes = store
        .apply(&[
            message(room, "mina", "good").into(),
            message(RoomId::new(), "mina", "nowhere").into(),
            NewMessage { reply_to: Some(MessageId::new()), ..message(room, "mina", "in answer to nothing") }.into(),
            message(room, "jun", "good too").into(),
        ])
        .await
        .expect("stored");
    let codes: Vec<Result<Seq, Error>> = outcomes.into_iter().map(|outcome| outcome.map(seq)).collect();
    assert_eq!(
        codes,
        [Ok(7), Err(Error::RoomNotFound), Err(Error::MessageNotFound), Ok(8)],
        "a refusal takes no number"
    );
    assert_eq!(store.apply(&[]).await, Ok(Vec::new()));
}

async fn a_reply_quotes_what_it_answers(store: &dyn Store, room: RoomId, first: &Message) {
    let long = message(room, "jun", &"가".repeat(121));
    let reply = NewMessage { reply_to: Some(long.id), ..message(room, "mina", "too long") };
    let outcomes = store.apply(&[long.into(), reply.into()]).await.expect("stored");
    let Ok(Applied::Changed(reply)) = &outcomes[1] else { panic!("{outcomes:?}") };
    let quote = reply.reply_to.as_ref().expect("a quote");
    assert_eq!((quote.seq, quote.sender.as_str(), &quote.excerpt), (9, "jun", &format!("{}…", "가".repeat(120))));

    let short = NewMessage { reply_to: Some(first.id), ..message(room, "jun", "short") };
    let Ok(Applied::Changed(short)) = append_one(store, &short).await else { panic!("refused") };
    assert_eq!(short.reply_to.map(|quote| quote.excerpt), Some("line 1".into()));
}

async fn pages_go_back_and_changes_go_on(store: &dyn Store, room: RoomId) {
    let seqs = |slice: &Slice| slice.messages.iter().map(|message| message.seq).collect::<Vec<_>>();
    for (window, limit, expected) in [
        (Window::Newest, 3, vec![9, 10, 11]),
        (Window::Newest, 100, (1..=11).collect()),
        (Window::Before(9), 3, vec![6, 7, 8]),
        (Window::Before(3), 100, vec![1, 2]),
        (Window::Before(1), 100, vec![]),
        (Window::Before(0), 100, vec![]),
        (Window::Before(Seq::MAX), 1, vec![11]),
        (Window::After(0), 2, vec![1, 2]),
        (Window::After(9), 100, vec![10, 11]),
        (Window::After(11), 100, vec![]),
        (Window::After(Seq::MAX), 100, vec![]),
        (Window::Around(6), 4, vec![4, 5, 6, 7]),
        (Window::Around(1), 4, vec![1, 2, 3, 4]),
        (Window::Around(11), 4, vec![9, 10, 11]),
        (Window::Around(99), 4, vec![10, 11]),
        (Window::Around(Seq::MAX), 1, vec![]),
    ] {
        let page = store.page(room, window, limit).await.expect("a page");
        assert_eq!((seqs(&page), page.room.head), (expected, 11), "{window:?}, {limit}");
    }
    for (since, limit, expected) in
        [(0, 3, vec![1, 2, 3]), (8, 100, vec![9, 10, 11]), (11, 100, vec![]), (Seq::MAX, 100, vec![])]
    {
        let slice = store.changed_since(room, since, limit).await.expect("changes");
        assert_eq!((seqs(&slice), slice.room.head), (expected, 11), "since {since}, {limit}");
    }
    assert_eq!(store.page(RoomId::new(), Window::Newest, 1).await.map(|slice| seqs(&slice)), Err(Error::RoomNotFound));
    assert_eq!(store.changed_since(RoomId::new(), 0, 1).await.map(|slice| seqs(&slice)), Err(Error::RoomNotFound));
}

async fn a_name_is_held_by_one_person_until_it_is_released(store: &dyn Store) {
    let mina = person("mina");
    store.sign_in(&mina, &token(1), NOW, NOW - 90 * DAY).await.expect("the name is free");
    assert_eq!(store.session(&token(1), NOW).await, Ok(Some(mina.clone())));
    assert_eq!(store.session(&token(2), NOW).await, Ok(None));
    assert_eq!(store.held_names().await, Ok(vec![(mina.id, mina.name.key().clone())]));
    for twin in ["mina", "ＭＩＮＡ", "min\u{430}"] {
        assert_eq!(store.sign_in(&person(twin), &token(3), NOW, NOW - 90 * DAY).await, Err(Error::NameTaken), "{twin}");
    }
    assert_eq!(store.session(&token(3), NOW).await, Ok(None), "who was refused has no session");

    store.add_session(mina.id, &token(4), NOW).await.expect("another browser");
    assert_eq!(store.sign_out(&token(1)).await, Ok(None), "one of two");
    assert_eq!(store.session(&token(4), NOW).await, Ok(Some(mina.clone())));
    assert_eq!(store.sign_out(&token(4)).await, Ok(Some(mina.id)), "the last one frees the name");
    assert_eq!(store.sign_out(&token(4)).await, Ok(None));
    assert_eq!(store.held_names().await, Ok(Vec::new()));
    store.sign_in(&person("mina"), &token(5), NOW, NOW - 90 * DAY).await.expect("free again");
}

async fn a_name_that_nobody_used_for_long_is_taken_over(store: &dyn Store) {
    let old = person("jun");
    store.sign_in(&old, &token(6), NOW, NOW - 90 * DAY).await.expect("free");
    let soon = NOW + 80 * DAY;
    assert_eq!(store.session(&token(6), soon).await, Ok(Some(old.clone())), "used");
    let later = NOW + 91 * DAY;
    assert_eq!(
        store.sign_in(&person("jun"), &token(7), later, later - 90 * DAY).await,
        Err(Error::NameTaken),
        "used since"
    );
    let much_later = soon + 91 * DAY;
    let new = person("JUN");
    store.sign_in(&new, &token(8), much_later, much_later - 90 * DAY).await.expect("taken over");
    assert_eq!(store.session(&token(6), much_later).await, Ok(None), "the old session is worth nothing now");
    assert_eq!(store.session(&token(8), much_later).await, Ok(Some(new)));
}

async fn its_author_changes_a_message_and_nobody_else(store: &dyn Store) {
    let (room, [mina, jun]) = a_room_with_two(store, "바뀌는 방", [11, 12]).await;
    let first = said_by(store, room, &mina, "frist").await;
    let reply = NewMessage { reply_to: Some(first.id), ..message(room, "guest", "a reply") };
    append_one(store, &reply).await.expect("stored");
    let edit = |person: &Person, text: &str, if_rev| Change::Edit {
        room,
        id: first.id,
        person: person.id,
        body: body(text),
        if_rev,
        at: NOW + 5,
    };
    let delete = |person: &Person, id| Change::Delete { room, id, person: person.id };

    assert_eq!(one(store, edit(&jun, "mine", None)).await, Err(Error::Forbidden));
    assert_eq!(one(store, delete(&jun, first.id)).await, Err(Error::Forbidden));
    assert_eq!(one(store, delete(&jun, reply.id)).await, Err(Error::Forbidden), "a guest's words are nobody's");
    assert_eq!(one(store, delete(&mina, MessageId::new())).await, Err(Error::MessageNotFound));
    assert_eq!(one(store, edit(&mina, "first", Some(2))).await, Err(Error::IdConflict), "it is at 1");
    assert_eq!(head(store, room).await, 2, "a refusal takes no number");

    let edited = Message { rev: 3, body: "first".into(), edited_at: Some(NOW + 5), ..first.clone() };
    assert_eq!(one(store, edit(&mina, "first", Some(1))).await, Ok(Applied::Changed(edited.clone())));
    for if_rev in [None, Some(1)] {
        assert_eq!(
            one(store, edit(&mina, "first", if_rev)).await,
            Ok(Applied::Unchanged(edited.clone())),
            "nothing new"
        );
    }
    assert_eq!(head(store, room).await, 3);
    let quoted = store.page(room, Window::Newest, 9).await.expect("a page").messages.remove(1);
    assert_eq!(quoted.reply_to.map(|quote| quote.excerpt), Some("first".into()));

    let gone = Message { rev: 4, body: String::new(), edited_at: None, deleted: true, ..first.clone() };
    assert_eq!(one(store, delete(&mina, first.id)).await, Ok(Applied::Changed(gone.clone())));
    assert_eq!(one(store, delete(&mina, first.id)).await, Ok(Applied::Unchanged(gone.clone())), "twice is once");
    assert_eq!(one(store, edit(&mina, "back", None)).await, Err(Error::MessageNotFound));
    let late = NewMessage { reply_to: Some(first.id), ..message(room, "guest", "too late") };
    assert_eq!(append_one(store, &late).await, Err(Error::MessageNotFound));
    let retry =
        NewMessage { body: body("frist"), author: person_author("mina11", mina.id), ..said(room, "x", &edited) };
    assert_eq!(append_one(store, &retry).await, Ok(Applied::Unchanged(gone)), "a late retry brings nothing back");

    let changes = store.changed_since(room, 1, 9).await.expect("changes");
    let revs: Vec<(Seq, Seq)> = changes.messages.iter().map(|message| (message.seq, message.rev)).collect();
    assert_eq!((revs, changes.room.head), (vec![(2, 2), (1, 4)], 4), "each message once, at its last change");
    let said = store.said_since(room, 0, 9).await.expect("messages");
    assert_eq!(said.messages.iter().map(|message| message.seq).collect::<Vec<_>>(), [2], "and not what was taken back");
    assert_eq!(store.room(room).await.expect("the room").last.map(|last| last.1), Some("a reply".into()));
    assert_eq!(store.erase().await, Ok(true));
}

async fn reactions_are_changes_too_and_count_once(store: &dyn Store) {
    let (room, [mina, jun]) = a_room_with_two(store, "손뼉 치는 방", [13, 14]).await;
    let first = said_by(store, room, &mina, "봄이네요").await;
    let react = |person: &Person, emoji: &str, on| Change::React {
        room,
        id: first.id,
        person: person.id,
        emoji: Emoji::parse(emoji).expect("an emoji"),
        on,
    };
    let shown = |applied: Result<Applied, Error>| match applied {
        Ok(Applied::Changed(message)) => Ok((message.rev, message.reactions)),
        Ok(Applied::Unchanged(message)) => Err(message.rev),
        Err(error) => panic!("{error}"),
    };
    let by = |emoji: &str, names: &[&str]| Reaction {
        emoji: emoji.into(),
        by: names.iter().map(|&name| name.to_owned()).collect(),
    };
    assert_eq!(shown(one(store, react(&mina, "👍", true)).await), Ok((2, vec![by("👍", &["mina13"])])));
    assert_eq!(shown(one(store, react(&mina, "👍", true)).await), Err(2), "once is enough");
    assert_eq!(shown(one(store, react(&jun, "👍", true)).await), Ok((3, vec![by("👍", &["jun14", "mina13"])])));
    let both = vec![by("☕", &["jun14"]), by("👍", &["jun14", "mina13"])];
    assert_eq!(shown(one(store, react(&jun, "☕", true)).await), Ok((4, both)));
    assert_eq!(
        shown(one(store, react(&mina, "👍", false)).await),
        Ok((5, vec![by("☕", &["jun14"]), by("👍", &["jun14"])]))
    );
    assert_eq!(shown(one(store, react(&mina, "👍", false)).await), Err(5));
    for n in 0..limits::EMOJI_PER_MESSAGE - 2 {
        let emoji = char::from_u32(0x1F600 + n).expect("a face").to_string();
        assert!(shown(one(store, react(&mina, &emoji, true)).await).is_ok());
    }
    assert!(matches!(one(store, react(&mina, "🫶", true)).await, Err(Error::BadFrame { .. })), "enough is enough");
    assert!(shown(one(store, react(&mina, "☕", true)).await).is_ok(), "one of those that are there");
    let gone = one(store, Change::Delete { room, id: first.id, person: mina.id }).await;
    assert!(matches!(gone, Ok(Applied::Changed(message)) if message.reactions.is_empty()));
    assert_eq!(one(store, react(&mina, "👍", true)).await, Err(Error::MessageNotFound));
}

async fn a_read_mark_goes_forward_unless_it_is_meant_to_go_back(store: &dyn Store) {
    let (room, [mina, jun]) = a_room_with_two(store, "읽는 방", [15, 16]).await;
    for n in 1..=3 {
        said_by(store, room, &mina, &n.to_string()).await;
    }
    for (seq, back, moved) in [
        (2, false, Some(2)),
        (1, false, None),
        (99, false, Some(3)),
        (1, true, Some(1)),
        (1, true, None),
        (Seq::MAX, true, Some(3)),
    ] {
        let mark = moved.map(|seq| Mark { person: jun.id, room, seq, unread: 3 - seq as u32, messages: 3 });
        assert_eq!(store.read(jun.id, room, seq, back).await, Ok(mark), "{seq} {back}");
    }
    assert_eq!(store.reads(jun.id).await, Ok(vec![Mark { person: jun.id, room, seq: 3, unread: 0, messages: 3 }]));
    assert_eq!(store.reads(mina.id).await, Ok(vec![]));
    assert_eq!(store.read(jun.id, RoomId::new(), 1, false).await, Err(Error::RoomNotFound));
}

async fn a_room_is_renamed_by_whoever_made_it(store: &dyn Store) {
    let (_, [mina, jun]) = a_room_with_two(store, "이름 바꾸는 방", [25, 26]).await;
    let made = store.create_room(RoomId::new(), &room_name("옛 이름"), Some(mina.id), NOW).await.expect("a room");
    assert_eq!((made.created_by, made.created_at, made.topic.clone()), (Some(mina.id), NOW, None));
    assert_eq!(store.room(made.id).await, Ok(made.clone()));
    let (name, topic) = (room_name("새 이름"), Topic::parse("봄 이야기").expect("a topic"));
    let change = async |id, by| store.change_room(id, by, &name, topic.as_ref()).await;
    let changed = change(made.id, mina.id).await.expect("changed");
    assert_eq!((changed.name, changed.topic.as_deref()), (name.clone(), Some("봄 이야기")));
    assert_eq!(change(made.id, jun.id).await, Err(Error::Forbidden));
    assert_eq!(change(store.lobby(), mina.id).await, Err(Error::Forbidden));
    assert_eq!(change(RoomId::new(), mina.id).await, Err(Error::RoomNotFound));
    let again = store.change_room(made.id, mina.id, &name, None).await.expect("changed");
    assert_eq!(again.topic, None);

    let found = store.create_room(RoomId::new(), &room_name("임자 없는 방"), None, NOW).await.expect("a room");
    assert_eq!(change(found.id, jun.id).await, Err(Error::Forbidden));
    for (id, by, is_new) in [
        (found.id, jun.id, true),
        (found.id, mina.id, false),
        (made.id, jun.id, false),
        (store.lobby(), jun.id, false),
        (RoomId::new(), jun.id, false),
    ] {
        assert_eq!(store.adopt_room(id, by).await, Ok(is_new));
    }
    assert!(change(found.id, jun.id).await.is_ok());
}

async fn unread_are_the_messages_of_others_that_still_stand(store: &dyn Store) {
    let (room, [mina, jun]) = a_room_with_two(store, "안 읽은 방", [23, 24]).await;
    said_by(store, room, &mina, "읽음").await;
    let first = said_by(store, room, &mina, "지움").await;
    said_by(store, room, &jun, "제 것").await;
    store.read(jun.id, room, 1, false).await.expect("a mark");
    let unread = async || store.reads(jun.id).await.expect("marks")[0].unread;
    assert_eq!(unread().await, 1);
    let delete = Change::Delete { room, id: first.id, person: mina.id };
    store.apply(&[delete]).await.expect("a store")[0].clone().expect("deleted");
    assert_eq!(unread().await, 0);
    let behind = async |seq, persons: &[PersonId]| store.reads_before(room, seq, persons).await.expect("marks");
    assert_eq!(behind(2, &[mina.id, jun.id]).await, store.reads(jun.id).await.expect("marks"));
    assert_eq!(
        (behind(1, &[jun.id]).await, behind(2, &[mina.id]).await, behind(2, &[]).await),
        (vec![], vec![], vec![])
    );
    assert_eq!(store.room(room).await.expect("a room").messages, 3, "messages ever said");
    for n in 0..limits::UNREAD_COUNTED + 5 {
        said_by(store, room, &mina, &n.to_string()).await;
    }
    assert_eq!(unread().await, limits::UNREAD_COUNTED);
}

/// Two persons, named after their tokens, and a room of their own.
async fn a_room_with_two(store: &dyn Store, name: &str, tokens: [u8; 2]) -> (RoomId, [Person; 2]) {
    let room = store.create_room(RoomId::new(), &room_name(name), None, NOW).await.expect("a room");
    let persons = [person(&format!("mina{}", tokens[0])), person(&format!("jun{}", tokens[1]))];
    for (person, n) in persons.iter().zip(tokens) {
        store.sign_in(person, &token(n), NOW, NOW - 90 * DAY).await.expect("free");
    }
    (room.id, persons)
}

async fn said_by(store: &dyn Store, room: RoomId, person: &Person, text: &str) -> Message {
    let author = Author { name: person.name.clone(), kind: AuthorKind::Person(person.id) };
    match append_one(store, &NewMessage { author, ..message(room, "x", text) }).await {
        Ok(Applied::Changed(message)) => message,
        other => panic!("{other:?}"),
    }
}

async fn one(store: &dyn Store, change: Change) -> Result<Applied, Error> {
    store.apply(&[change]).await.expect("the store answers").remove(0)
}

async fn head(store: &dyn Store, room: RoomId) -> Seq {
    store.room(room).await.expect("the room").head
}

/// All that a reader can see.
async fn everything(store: &dyn Store, room: RoomId) -> String {
    let (rooms, page) =
        (store.rooms(None, 99).await, store.page(room, Window::Newest, 1_000).await.map(|slice| slice.messages));
    let mut held = store.held_names().await.expect("names");
    held.sort_by_key(|(person, _)| *person);
    format!("{rooms:?} {page:?} {held:?} {:?}", store.session(&token(8), NOW).await)
}

async fn append_one(store: &dyn Store, message: &NewMessage) -> Result<Applied, Error> {
    store.apply(&[message.clone().into()]).await.expect("the store answers").remove(0)
}

fn seq(applied: Applied) -> Seq {
    match applied {
        Applied::Changed(message) | Applied::Unchanged(message) => message.seq,
    }
}

fn message(room: RoomId, sender: &str, text: &str) -> NewMessage {
    NewMessage { room, id: MessageId::new(), author: guest(sender, "ab12"), body: body(text), reply_to: None, at: NOW }
}

/// The same message again, as a retry has it.
fn said(room: RoomId, sender: &str, message: &Message) -> NewMessage {
    NewMessage {
        room,
        id: message.id,
        author: guest(sender, "ab12"),
        body: body(&message.body),
        reply_to: None,
        at: NOW,
    }
}

fn guest(name: &str, tag: &str) -> Author {
    Author { name: display_name(name), kind: AuthorKind::Guest(tag.into()) }
}

fn person_author(name: &str, id: PersonId) -> Author {
    Author { name: display_name(name), kind: AuthorKind::Person(id) }
}

fn person(name: &str) -> Person {
    Person { id: PersonId::new(), name: display_name(name) }
}

fn token(n: u8) -> TokenHash {
    [n; 32]
}

fn display_name(name: &str) -> DisplayName {
    DisplayName::parse(name).expect(name)
}

fn room_name(name: &str) -> RoomName {
    RoomName::parse(name).expect(name)
}

fn body(text: &str) -> Body {
    Body::parse(text).expect(text)
}

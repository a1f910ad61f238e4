//! The log against a model of it: any sequence of changes, over restarts, numbers them 1, 2, 3 …

use super::{Proof, trials};
use madang::{
    domain::{Author, AuthorKind, Body, DisplayName, Emoji, Error, MessageId, PersonId, RoomId, RoomName, Window},
    server::store::{Applied, Change, NewMessage, Person, Sqlite, Store, verify},
};
use rand::{Rng, SeedableRng, rngs::StdRng, seq::IndexedRandom};
use std::collections::BTreeSet;

/// What the log should hold of one message.
#[derive(Clone, Debug)]
struct Known {
    id: MessageId,
    author: Option<PersonId>,
    first: String,
    body: String,
    deleted: bool,
    seq: u64,
    rev: u64,
    reactions: BTreeSet<(String, PersonId)>,
}

/// One room as it should be.
struct Model {
    room: RoomId,
    head: u64,
    messages: Vec<Known>,
}

/// What should become of a change: the number it takes, none, or the word of its refusal.
type Expected = Result<Option<u64>, &'static str>;

impl Model {
    fn next(&mut self) -> u64 {
        self.head += 1;
        self.head
    }

    fn apply(&mut self, change: &Change) -> Expected {
        let missing = Err("message_not_found");
        match change {
            Change::New(message) => {
                let author = match message.author.kind {
                    AuthorKind::Person(person) => Some(person),
                    AuthorKind::Guest(_) => None,
                };
                if let Some(known) = self.messages.iter().find(|known| known.id == message.id) {
                    let same = known.first == message.body.as_str() && known.author == author;
                    return if same { Ok(None) } else { Err("id_conflict") };
                }
                let (seq, first) = (self.next(), message.body.as_str().to_owned());
                let (id, body) = (message.id, first.clone());
                self.messages.push(Known {
                    id,
                    author,
                    first,
                    body,
                    deleted: false,
                    seq,
                    rev: seq,
                    reactions: BTreeSet::new(),
                });
                Ok(Some(seq))
            }
            Change::Edit { id, person, body, if_rev, .. } => {
                let head = self.head + 1;
                let Some(known) = self.messages.iter_mut().find(|known| known.id == *id && !known.deleted) else {
                    return missing;
                };
                if known.author != Some(*person) {
                    return Err("forbidden");
                }
                if known.body == body.as_str() {
                    return Ok(None);
                }
                if if_rev.is_some_and(|rev| rev != known.rev) {
                    return Err("id_conflict");
                }
                (known.body, known.rev) = (body.as_str().to_owned(), head);
                Ok(Some(self.next()))
            }
            Change::Delete { id, person, .. } => {
                let head = self.head + 1;
                let Some(known) = self.messages.iter_mut().find(|known| known.id == *id) else { return missing };
                if known.author != Some(*person) {
                    return Err("forbidden");
                }
                if known.deleted {
                    return Ok(None);
                }
                (known.body, known.deleted, known.rev) = (String::new(), true, head);
                known.reactions.clear();
                Ok(Some(self.next()))
            }
            Change::React { id, person, emoji, on, .. } => {
                let head = self.head + 1;
                let Some(known) = self.messages.iter_mut().find(|known| known.id == *id && !known.deleted) else {
                    return missing;
                };
                let reaction = (emoji.as_str().to_owned(), *person);
                let changes = if *on { known.reactions.insert(reaction) } else { known.reactions.remove(&reaction) };
                if !changes {
                    return Ok(None);
                }
                known.rev = head;
                Ok(Some(self.next()))
            }
        }
    }

    /// Any change, mostly sensible.
    fn any_change(&self, dice: &mut StdRng, persons: &[Person]) -> Change {
        let room = self.room;
        let person = persons.choose(dice).expect("persons");
        let id = match self.messages.choose(dice) {
            Some(known) if dice.random_bool(0.95) => known.id,
            _ => MessageId::new(),
        };
        let body = Body::parse(["네", "아니요", "글쎄요", "좋아요"][dice.random_range(0..4)]).expect("a text");
        match dice.random_range(0..10) {
            0 | 1 => Change::Edit {
                room,
                id,
                person: person.id,
                body,
                if_rev: dice.random_bool(0.2).then_some(self.head),
                at: 1,
            },
            2 => Change::Delete { room, id, person: person.id },
            3 | 4 => {
                let emoji = Emoji::parse(["👍", "🌸"][dice.random_range(0..2)]).expect("an emoji");
                Change::React { room, id, person: person.id, emoji, on: dice.random() }
            }
            kind => {
                let is_guest = dice.random_bool(0.2);
                let kind_of = if is_guest { AuthorKind::Guest("abcd".into()) } else { AuthorKind::Person(person.id) };
                let name = if is_guest { DisplayName::parse("손님").expect("a name") } else { person.name.clone() };
                let author = Author { name, kind: kind_of };
                let id = if kind == 5 { id } else { MessageId::new() };
                NewMessage { room, id, author, body, reply_to: None, at: 0 }.into()
            }
        }
    }
}

fn taken(outcome: &Result<Applied, Error>) -> Expected {
    match outcome {
        Ok(Applied::Changed(message)) => Ok(Some(message.rev)),
        Ok(Applied::Unchanged(_)) => Ok(None),
        Err(error) => Err(error.code()),
    }
}

#[tokio::test]
async fn any_sequence_of_changes_is_numbered_as_the_model_says() {
    let mut proof = Proof::of(3, "changes are numbered 1, 2, 3 … : the log against a model");
    let mut changes = 0;
    for seed in 0..trials(20, 1_000) as u64 {
        let mut dice = StdRng::seed_from_u64(seed);
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("madang.db");
        let mut store = Sqlite::open(&path, 0).await.expect("a database");
        let mut persons = Vec::new();
        for n in 0..3u8 {
            let person =
                Person { id: PersonId::new(), name: DisplayName::parse(&format!("mina {n}")).expect("a name") };
            store.sign_in(&person, &[n; 32], 0, 0).await.expect("free");
            persons.push(person);
        }
        let mut models = Vec::new();
        for n in 0..2 {
            let room = RoomId::new();
            store
                .create_room(room, &RoomName::parse(&format!("room {n}")).expect("a name"), None, 0)
                .await
                .expect("a room");
            models.push(Model { room, head: 0, messages: Vec::new() });
        }
        for _ in 0..dice.random_range(3..12) {
            let mut batch = Vec::new();
            let mut expected = Vec::new();
            for _ in 0..dice.random_range(1..20) {
                let at = dice.random_range(0..models.len());
                let model = &mut models[at];
                let change = model.any_change(&mut dice, &persons);
                expected.push(model.apply(&change));
                batch.push(change);
            }
            let outcomes: Vec<Expected> = store.apply(&batch).await.expect("stored").iter().map(taken).collect();
            proof.must(outcomes == expected, || format!("seed {seed}: {outcomes:?} and not {expected:?}"));
            changes += batch.len();
            if dice.random_bool(0.2) {
                store.close().await;
                store = Sqlite::open(&path, 0).await.expect("the same database");
                proof.faults += 1;
            }
        }
        for model in &models {
            let slice = store.page(model.room, Window::Newest, 1_000).await.expect("a page");
            proof.must(slice.room.head == model.head, || format!("seed {seed}: head {}", slice.room.head));
            let stored = slice.messages.iter().map(|m| (m.id, m.seq, m.rev, m.body.as_str(), m.deleted));
            let known = model.messages.iter().map(|m| (m.id, m.seq, m.rev, m.body.as_str(), m.deleted));
            proof.must(stored.eq(known), || format!("seed {seed}: {:?} and not {:?}", slice.messages, model.messages));
        }
        store.close().await;
        let verified = verify(&path).await.expect("readable");
        proof.must(verified.is_ok(), || format!("seed {seed}: {verified:?}"));
        proof.tried(0);
    }
    proof.remark = format!("{changes} changes");
    proof.done();
}

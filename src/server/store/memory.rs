//! A store that keeps nothing, for the benchmark alone: what fan-out costs without a disk.

use super::{Applied, Change, LOBBY_NAME, Mark, NewMessage, Person, Slice, Store, TokenHash, excerpt};
use crate::domain::{
    AuthorKind, Emoji, Epoch, Error, Message, MessageId, NameKey, PersonId, Quote, Reaction, Room, RoomId, RoomName,
    Seq, Timestamp, Topic, Window, limits,
};
use async_trait::async_trait;
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

/// The store that keeps nothing. Clones share what they hold until then.
#[derive(Clone, Debug)]
pub struct Memory {
    epoch: Epoch,
    lobby: RoomId,
    state: Arc<Mutex<State>>,
    closed: Arc<AtomicBool>,
}

#[derive(Debug, Default)]
struct State {
    /// In the order in which they were made.
    rooms: Vec<Log>,
    places: HashMap<RoomId, usize>,
    persons: HashMap<PersonId, Holder>,
    sessions: HashMap<TokenHash, PersonId>,
    reads: HashMap<(PersonId, RoomId), Seq>,
}

#[derive(Debug)]
struct Holder {
    person: Person,
    /// Until the name is released.
    key: Option<NameKey>,
    used_at: Timestamp,
}

#[derive(Debug)]
struct Log {
    room: Room,
    said: BTreeMap<Seq, Said>,
    ids: HashMap<MessageId, Seq>,
    /// The place of each message by the number of its last change.
    changed: BTreeMap<Seq, Seq>,
}

#[derive(Debug)]
struct Said {
    /// As it is now, but for the quote and the reactions.
    message: Message,
    /// What it said first, where that is another text.
    first: Option<String>,
    answers: Option<(MessageId, Seq)>,
    reactions: BTreeSet<(String, String, PersonId)>,
}

impl Memory {
    /// An empty store with its lobby, made at `now`.
    #[must_use]
    pub fn new(now: Timestamp) -> Self {
        let lobby = RoomId::new();
        let mut state = State::default();
        let name = RoomName::stored(LOBBY_NAME.into());
        state.add_room(Room { lobby: true, ..Room::new(lobby, name, None, now) });
        Self { epoch: Epoch::new(), lobby, state: Arc::new(Mutex::new(state)), closed: Arc::default() }
    }

    /// The same store once more, after it was closed.
    #[cfg(test)]
    pub(super) fn reopened(&self) -> Self {
        Self { closed: Arc::default(), ..self.clone() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn add_room(&mut self, room: Room) -> Room {
        self.places.insert(room.id, self.rooms.len());
        self.rooms.push(Log {
            room: room.clone(),
            said: BTreeMap::new(),
            ids: HashMap::new(),
            changed: BTreeMap::new(),
        });
        room
    }

    fn log(&self, id: RoomId) -> Result<&Log, Error> {
        self.places.get(&id).map(|place| &self.rooms[*place]).ok_or(Error::RoomNotFound)
    }

    fn apply(&mut self, change: &Change) -> Result<Applied, Error> {
        let place = *self.places.get(&change.room()).ok_or(Error::RoomNotFound)?;
        let log = &mut self.rooms[place];
        match change {
            Change::New(message) => log.say(message),
            Change::Edit { id, person, body, if_rev, at, .. } => log.edit(*id, *person, body.as_str(), *if_rev, *at),
            Change::Delete { id, person, .. } => log.delete(*id, *person),
            Change::React { id, person, emoji, on, .. } => {
                let name = self.persons.get(person).map_or_else(String::new, |holder| holder.person.name.to_string());
                log.react(*id, (emoji, name, *person), *on)
            }
        }
    }
}

impl Log {
    fn summary(&self) -> Room {
        let last = self.said.values().rev().map(|said| &said.message).find(|message| !message.deleted);
        let last = last.map(|last| (last.author.name.to_string(), excerpt(last.body.clone()), last.at));
        Room { last, messages: self.said.len() as u64, ..self.room.clone() }
    }

    fn mark(&self, person: PersonId, seq: Seq) -> Mark {
        let later = self.said.range(seq.saturating_add(1)..).map(|(_, said)| &said.message);
        let others = later.filter(|message| !message.deleted && message.author.kind != AuthorKind::Person(person));
        let unread = others.take(limits::UNREAD_COUNTED as usize).count() as u32;
        Mark { person, room: self.room.id, seq, unread, messages: self.said.len() as u64 }
    }

    fn slice(&self, messages: impl Iterator<Item = Message>) -> Slice {
        let last = self.said.keys().next_back().copied().unwrap_or(0);
        Slice { room: self.summary(), messages: messages.collect(), last }
    }

    fn shown(&self, said: &Said) -> Message {
        let quote = |(_, seq): &(MessageId, Seq)| {
            let quoted = &self.said.get(seq)?.message;
            let sender = quoted.author.name.to_string();
            Some(Quote { id: quoted.id, seq: *seq, sender, excerpt: excerpt(quoted.body.clone()) })
        };
        let mut reactions: Vec<Reaction> = Vec::new();
        for (emoji, name, _) in &said.reactions {
            match reactions.last_mut().filter(|last| last.emoji == *emoji) {
                Some(reaction) => reaction.by.push(name.clone()),
                None => reactions.push(Reaction { emoji: emoji.clone(), by: vec![name.clone()] }),
            }
        }
        Message { reply_to: said.answers.as_ref().and_then(quote), reactions, ..said.message.clone() }
    }

    fn known(&self, id: MessageId) -> Result<&Said, Error> {
        self.ids.get(&id).and_then(|seq| self.said.get(seq)).ok_or(Error::MessageNotFound)
    }

    fn standing(&self, id: MessageId) -> Result<&Said, Error> {
        self.known(id).and_then(|said| if said.message.deleted { Err(Error::MessageNotFound) } else { Ok(said) })
    }

    fn say(&mut self, message: &NewMessage) -> Result<Applied, Error> {
        if let Ok(known) = self.known(message.id) {
            let same = is_repeat(known, message);
            return if same { Ok(Applied::Unchanged(self.shown(known))) } else { Err(Error::IdConflict) };
        }
        let answers = message.reply_to.map(|id| self.standing(id).map(|said| (id, said.message.seq))).transpose()?;
        self.room.head += 1;
        let seq = self.room.head;
        let stored = Message {
            room: self.room.id,
            id: message.id,
            seq,
            rev: seq,
            author: message.author.clone(),
            body: message.body.as_str().to_owned(),
            at: message.at,
            edited_at: None,
            deleted: false,
            reply_to: None,
            reactions: Vec::new(),
        };
        let said = Said { message: stored, first: None, answers, reactions: BTreeSet::new() };
        let shown = self.shown(&said);
        self.said.insert(seq, said);
        self.ids.insert(message.id, seq);
        self.changed.insert(seq, seq);
        Ok(Applied::Changed(shown))
    }

    /// Gives the message at `seq` the room's next number, and `work` to do.
    fn change(&mut self, seq: Seq, work: impl FnOnce(&mut Said)) -> Result<Applied, Error> {
        let said = self.said.get_mut(&seq).ok_or(Error::MessageNotFound)?;
        work(said);
        self.room.head += 1;
        self.changed.remove(&said.message.rev);
        self.changed.insert(self.room.head, seq);
        said.message.rev = self.room.head;
        Ok(Applied::Changed(self.shown(&self.said[&seq])))
    }

    fn edit(
        &mut self,
        id: MessageId,
        person: PersonId,
        text: &str,
        if_rev: Option<Seq>,
        at: Timestamp,
    ) -> Result<Applied, Error> {
        let said = self.standing(id)?;
        must_be_by(person, said)?;
        if said.message.body == text {
            return Ok(Applied::Unchanged(self.shown(said)));
        }
        if if_rev.is_some_and(|rev| rev != said.message.rev) {
            return Err(Error::IdConflict);
        }
        self.change(said.message.seq, |said| {
            said.take_text(text.to_owned());
            said.message.edited_at = Some(at);
        })
    }

    fn delete(&mut self, id: MessageId, person: PersonId) -> Result<Applied, Error> {
        let said = self.known(id)?;
        must_be_by(person, said)?;
        if said.message.deleted {
            return Ok(Applied::Unchanged(self.shown(said)));
        }
        self.change(said.message.seq, |said| {
            said.reactions.clear();
            said.take_text(String::new());
            (said.message.edited_at, said.message.deleted) = (None, true);
        })
    }

    fn react(
        &mut self,
        id: MessageId,
        (emoji, name, person): (&Emoji, String, PersonId),
        on: bool,
    ) -> Result<Applied, Error> {
        let said = self.standing(id)?;
        let own = (emoji.as_str().to_owned(), name, person);
        if said.reactions.contains(&own) == on {
            return Ok(Applied::Unchanged(self.shown(said)));
        }
        let others = said.reactions.iter().map(|(other, ..)| other).filter(|other| **other != own.0);
        let is_full = others.collect::<BTreeSet<_>>().len() >= limits::EMOJI_PER_MESSAGE as usize
            || said.reactions.len() >= limits::REACTIONS_PER_MESSAGE as usize;
        if on && is_full {
            return Err(Error::bad_frame("emoji: this message has enough reactions"));
        }
        self.change(said.message.seq, |said| {
            if on {
                said.reactions.insert(own);
            } else {
                said.reactions.remove(&own);
            }
        })
    }
}

impl Said {
    fn take_text(&mut self, text: String) {
        let old = std::mem::replace(&mut self.message.body, text);
        self.first.get_or_insert(old);
    }
}

fn is_repeat(known: &Said, again: &NewMessage) -> bool {
    let author = &known.message.author;
    let same_author = match (&author.kind, &again.author.kind) {
        (AuthorKind::Person(one), AuthorKind::Person(other)) => one == other,
        (AuthorKind::Guest(_), AuthorKind::Guest(_)) => author.name == again.author.name,
        _ => false,
    };
    let text = known.first.as_ref().unwrap_or(&known.message.body);
    same_author && text == again.body.as_str() && known.answers.map(|(id, _)| id) == again.reply_to
}

fn must_be_by(person: PersonId, said: &Said) -> Result<(), Error> {
    if said.message.author.kind == AuthorKind::Person(person) { Ok(()) } else { Err(Error::Forbidden) }
}

#[async_trait]
impl Store for Memory {
    fn epoch(&self) -> Epoch {
        self.epoch
    }

    fn lobby(&self) -> RoomId {
        self.lobby
    }

    async fn check(&self) -> Result<(), Error> {
        if self.closed.load(Ordering::Relaxed) { Err(Error::StorageUnavailable) } else { Ok(()) }
    }

    async fn rooms(&self, after: Option<RoomId>, limit: u32) -> Result<Vec<Room>, Error> {
        let state = self.state();
        let from = after.and_then(|id| state.places.get(&id)).map_or(0, |place| place + 1);
        Ok(state.rooms[from..].iter().take(limit as usize).map(Log::summary).collect())
    }

    async fn room(&self, id: RoomId) -> Result<Room, Error> {
        self.state().log(id).map(Log::summary)
    }

    async fn create_room(
        &self,
        id: RoomId,
        name: &RoomName,
        by: Option<PersonId>,
        at: Timestamp,
    ) -> Result<Room, Error> {
        Ok(self.state().add_room(Room::new(id, name.clone(), by, at)))
    }

    async fn adopt_room(&self, id: RoomId, by: PersonId) -> Result<bool, Error> {
        let mut state = self.state();
        let Some(&place) = state.places.get(&id) else { return Ok(false) };
        let room = &mut state.rooms[place].room;
        let is_free = room.created_by.is_none() && !room.lobby;
        if is_free {
            room.created_by = Some(by);
        }
        Ok(is_free)
    }

    async fn change_room(
        &self,
        id: RoomId,
        by: PersonId,
        name: &RoomName,
        topic: Option<&Topic>,
    ) -> Result<Room, Error> {
        let mut state = self.state();
        let place = *state.places.get(&id).ok_or(Error::RoomNotFound)?;
        let log = &mut state.rooms[place];
        if log.room.created_by != Some(by) || log.room.lobby {
            return Err(Error::Forbidden);
        }
        (log.room.name, log.room.topic) = (name.clone(), topic.map(|topic| topic.as_str().to_owned()));
        Ok(log.summary())
    }

    async fn apply(&self, changes: &[Change]) -> Result<Vec<Result<Applied, Error>>, Error> {
        let mut state = self.state();
        Ok(changes.iter().map(|change| state.apply(change)).collect())
    }

    async fn erase(&self) -> Result<bool, Error> {
        Ok(true)
    }

    async fn read(&self, person: PersonId, room: RoomId, seq: Seq, back: bool) -> Result<Option<Mark>, Error> {
        let mut state = self.state();
        let last = state.log(room)?.said.keys().next_back().copied().unwrap_or(0);
        let (seq, known) = (seq.min(last), state.reads.get(&(person, room)).copied());
        if known.is_some_and(|known| if back { seq == known } else { seq <= known }) {
            return Ok(None);
        }
        state.reads.insert((person, room), seq);
        Ok(Some(state.log(room)?.mark(person, seq)))
    }

    async fn reads(&self, person: PersonId) -> Result<Vec<Mark>, Error> {
        let state = self.state();
        let own = state.reads.iter().filter(|((whose, _), _)| *whose == person);
        own.map(|((_, room), seq)| Ok(state.log(*room)?.mark(person, *seq))).collect()
    }

    async fn reads_before(&self, room: RoomId, seq: Seq, persons: &[PersonId]) -> Result<Vec<Mark>, Error> {
        let state = self.state();
        let log = state.log(room)?;
        let read = |person: &PersonId| Some((*person, *state.reads.get(&(*person, room))?));
        let behind = persons.iter().filter_map(read).filter(|(_, read)| *read < seq);
        Ok(behind.map(|(person, read)| log.mark(person, read)).collect())
    }

    async fn page(&self, room: RoomId, window: Window, limit: u32) -> Result<Slice, Error> {
        let state = self.state();
        let log = state.log(room)?;
        let before = |seq: Seq, limit: u32| log.said.range(..seq).rev().take(limit as usize).map(|(seq, _)| *seq);
        let from = match window {
            Window::Newest => before(Seq::MAX, limit).last(),
            Window::Before(seq) => before(seq, limit).last(),
            Window::After(seq) => Some(seq.saturating_add(1)),
            Window::Around(seq) => before(seq, limit / 2).last().or(Some(seq)),
        };
        let end = if let Window::Before(seq) = window { seq } else { Seq::MAX };
        let later = from.into_iter().flat_map(|from| log.said.range(from..end.max(from))).take(limit as usize);
        Ok(log.slice(later.map(|(_, said)| log.shown(said))))
    }

    async fn changed_since(&self, room: RoomId, since: Seq, limit: u32) -> Result<Slice, Error> {
        let state = self.state();
        let log = state.log(room)?;
        let later = log.changed.range(since.saturating_add(1)..).take(limit as usize);
        Ok(log.slice(later.filter_map(|(_, seq)| Some(log.shown(log.said.get(seq)?)))))
    }

    async fn said_since(&self, room: RoomId, since: Seq, limit: u32) -> Result<Slice, Error> {
        let state = self.state();
        let log = state.log(room)?;
        let later = log.said.range(since.saturating_add(1)..).map(|(_, said)| said);
        let standing = later.filter(|said| !said.message.deleted).take(limit as usize);
        Ok(log.slice(standing.map(|said| log.shown(said))))
    }

    async fn held_names(&self) -> Result<Vec<(PersonId, NameKey)>, Error> {
        let state = self.state();
        Ok(state.persons.values().filter_map(|holder| Some((holder.person.id, holder.key.clone()?))).collect())
    }

    async fn sign_in(
        &self,
        person: &Person,
        token: &TokenHash,
        at: Timestamp,
        unused_since: Timestamp,
    ) -> Result<(), Error> {
        let mut state = self.state();
        let key = person.name.key();
        let mut likes: Vec<&mut Holder> = state
            .persons
            .values_mut()
            .filter(|holder| holder.key.as_ref().is_some_and(|held| held.is_like(key)))
            .collect();
        if likes.iter().any(|holder| holder.used_at >= unused_since) {
            return Err(Error::NameTaken);
        }
        likes.iter_mut().for_each(|holder| holder.key = None);
        state.persons.insert(person.id, Holder { person: person.clone(), key: Some(key.clone()), used_at: at });
        state.sessions.insert(*token, person.id);
        Ok(())
    }

    async fn add_session(&self, person: PersonId, token: &TokenHash, _at: Timestamp) -> Result<(), Error> {
        self.state().sessions.insert(*token, person);
        Ok(())
    }

    async fn session(&self, token: &TokenHash, at: Timestamp) -> Result<Option<Person>, Error> {
        let mut state = self.state();
        let whose = state.sessions.get(token).copied();
        let holder = whose.and_then(|person| state.persons.get_mut(&person)).filter(|holder| holder.key.is_some());
        Ok(holder.map(|holder| {
            holder.used_at = holder.used_at.max(at);
            holder.person.clone()
        }))
    }

    async fn sign_out(&self, token: &TokenHash) -> Result<Option<PersonId>, Error> {
        let mut state = self.state();
        let Some(person) = state.sessions.remove(token) else { return Ok(None) };
        if state.sessions.values().any(|other| *other == person) {
            return Ok(None);
        }
        let released = state.persons.get_mut(&person).and_then(|holder| holder.key.take());
        Ok(released.map(|_| person))
    }

    async fn close(&self) {
        self.closed.store(true, Ordering::Relaxed);
    }
}

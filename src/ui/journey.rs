//! From room to room and back in time, without loading a page.

use super::{
    Ui, address, composer,
    connection::Event,
    dom::{element, elements, focus_quietly, has_no_focus},
    forms, reading,
    state::{ChatState, OpenRoom},
    wire,
};
use crate::{
    domain::{Error, RoomId, Seq, Window},
    protocol::RoomView,
};
use leptos::prelude::*;
use web_sys::{Element, HtmlElement};

/// A room that could not be loaded anew is asked for again after this long.
const RELOAD_AGAIN: std::time::Duration = std::time::Duration::from_secs(2);

/// Busy while another room is on its way.
const MAIN: &str = "#main";

impl Ui {
    /// Shows another room without loading a page.
    pub fn go(self, room: RoomId, push: bool) {
        let journey = self.set_out();
        self.set_bound_for(Some(room));
        if push {
            composer::take_focus();
        }
        self.travel(room, push, journey);
    }

    fn travel(self, room: RoomId, push: bool, journey: u32) {
        leptos::task::spawn_local(async move {
            // With more unread than a page holds, where one left off comes first.
            let left_off = self.state.with_untracked(|state| state.left_off(room));
            // And before that the message that the address leads back to.
            let around = named().filter(|_| !push).or(left_off);
            let found = wire::room_page(room, around.map_or(Window::Newest, Window::Around)).await;
            if self.journey.get_value() != journey {
                return;
            }
            let view = match found {
                Ok(view) => view,
                Err(Error::RoomNotFound) => return leave_for(&address(room)),
                // Out of reach: stay, with everything that waits here, and say so.
                Err(error) if push => {
                    self.set_out();
                    // What is typed on was meant for there.
                    composer::leave_focus();
                    return forms::refuse(composer::REFUSAL, &(self.text.error)(error.code()));
                }
                // The address is there already. It may take long: until then one writes where one sees oneself.
                Err(_) => {
                    self.bound_for.set(None);
                    self.tell(Event::PostAgain);
                    return set_timeout(
                        move || {
                            if self.journey.get_value() == journey {
                                self.travel(room, false, journey);
                            }
                        },
                        RELOAD_AGAIN,
                    );
                }
            };
            self.set_bound_for(None);
            if push {
                push_address(&address(room));
            }
            // What is open, and what was refused, is of the room before.
            forms::refuse(composer::REFUSAL, "");
            elements(":popover-open").iter().for_each(|open| drop(open.hide_popover()));
            self.delete_now();
            self.tell_read();
            self.show_then(view, || {
                reading::land();
                take_focus();
            });
        });
    }

    /// Begins a journey, and gives its number: what an earlier one still loads is not shown any more.
    pub fn set_out(self) -> u32 {
        self.journey.update_value(|journey| *journey += 1);
        if self.bound_for.get_untracked().is_some() {
            // What was said there already is sent from here.
            self.tell(Event::PostAgain);
        }
        self.set_bound_for(None);
        self.journey.get_value()
    }

    fn set_bound_for(self, room: Option<RoomId>) {
        if self.bound_for.get_untracked() != room {
            self.bound_for.set(room);
        }
        if let Some(main) = element(MAIN) {
            let _ = main.set_attribute("aria-busy", if room.is_some() { "true" } else { "false" });
        }
    }

    /// The room that was chosen: the one on its way, else the one on screen.
    #[must_use]
    pub fn chosen(self) -> Option<RoomId> {
        self.bound_for.get_untracked().or_else(|| self.state.with_untracked(ChatState::here))
    }

    /// Loads the room on screen anew.
    pub fn reload(self) {
        let Some(id) = self.state.with_untracked(ChatState::here) else { return };
        leptos::task::spawn_local(async move {
            let is_here = move |state: &ChatState| state.here() == Some(id);
            match wire::room_page(id, Window::Newest).await {
                Ok(view) => {
                    self.state.update(|state| {
                        // Of two answers the later may have been asked for earlier.
                        let is_older = |room: &OpenRoom| room.epoch == view.epoch && view.room.head < room.head;
                        if is_here(state) && !state.room.as_ref().is_some_and(is_older) {
                            state.open(view);
                        }
                    });
                    self.tell(Event::Moved);
                }
                Err(Error::RoomNotFound) => {}
                Err(_) if self.state.with_untracked(is_here) => set_timeout(move || self.reload(), RELOAD_AGAIN),
                Err(_) => {}
            }
        });
    }

    /// Loads what comes before, or after, the messages here; once at a time.
    pub fn load_more(self, older: bool) {
        let asked = self.state.with_untracked(|state| {
            let room = state.room.as_ref()?;
            let seq = if older { room.older_than() } else { room.newer_than() };
            Some((room.id, seq?))
        });
        let Some((room, seq)) = asked.filter(|_| !self.loading.get_value()) else { return };
        self.loading.set_value(true);
        leptos::task::spawn_local(async move {
            let window = if older { Window::Before(seq) } else { Window::After(seq) };
            let loaded = wire::room_page(room, window).await;
            self.loading.set_value(false);
            if let Ok(view) = loaded {
                self.state.update(|state| if older { state.prepend(view, seq) } else { state.append(view, seq) });
            }
        });
    }

    /// Shows the message at that place, among those around it.
    pub fn go_to(self, room: RoomId, seq: Seq) {
        if show(seq) {
            return;
        }
        self.replace(room, Window::Around(seq), move || {
            show(seq);
            // What led there may have gone with the messages before.
            if has_no_focus()
                && let Some(reached) = element(&format!("#m-{seq} [data-do=menu]")).or_else(timeline)
            {
                focus_quietly(&reached);
            }
        });
    }

    /// Shows the newest messages.
    pub fn go_to_end(self) {
        let here = self.state.with_untracked(|state| state.room.as_ref().map(|room| (room.id, room.newest)));
        let Some((room, is_newest)) = here else { return };
        // A reload leads there, too.
        if named().is_some() {
            replace_address(&address(room));
        }
        if is_newest {
            // Whoever was led elsewhere comes back.
            if self.is_landing() {
                self.set_out();
            }
            scroll_to_end();
        } else {
            self.replace(room, Window::Newest, scroll_to_end);
        }
    }

    /// Shows where somebody left off, among the messages around it.
    pub fn go_back(self, room: RoomId) {
        let mut mark = None;
        self.state.update_untracked(|state| {
            if let Some(room) = &mut state.room {
                room.went_back = true;
                mark = room.divider;
            }
        });
        let Some(mark) = mark else { return };
        self.replace(room, Window::Around(mark), show_unread);
    }

    /// Goes where one left off, if the page was not asked for a place of its own and there is more unread than it holds;
    /// else to what is new there.
    pub fn land(self) {
        let is_asked = named().is_some() || window().location().search().is_ok_and(|query| !query.is_empty());
        let left_off = |state: &ChatState| Some((state.here()?, state.left_off(state.here()?)?));
        match self.state.with_untracked(left_off).filter(|_| !is_asked) {
            Some((room, mark)) => self.replace(room, Window::Around(mark), show_unread),
            None => reading::land(),
        }
    }

    /// Shows other messages of the room on screen, and then does `then`. Nothing counts as seen before.
    fn replace(self, room: RoomId, window: Window, then: impl FnOnce() + 'static) {
        let journey = self.set_out();
        self.landing.set_value(Some(journey));
        leptos::task::spawn_local(async move {
            let found = wire::room_page(room, window).await;
            if self.journey.get_value() != journey {
                return;
            }
            match found {
                Ok(view) => self.show_then(view, then),
                Err(error) => {
                    self.landing.set_value(None);
                    forms::refuse(composer::REFUSAL, &(self.text.error)(error.code()));
                }
            }
        });
    }

    /// Shows a page of messages, and does `then` once it is drawn. Nothing counts as seen before that.
    fn show_then(self, view: RoomView, then: impl FnOnce() + 'static) {
        let journey = self.journey.get_value();
        self.landing.set_value(Some(journey));
        self.in_sight.set_value(None);
        self.state.update(|state| state.open(view));
        self.tell(Event::Moved);
        request_animation_frame(move || {
            then();
            self.renew_place();
            // What is in sight has its real height in the next frame, and one is led there once more.
            request_animation_frame(move || {
                self.renew_place();
                if self.landing.get_value() == Some(journey) {
                    self.landing.set_value(None);
                }
            });
        });
    }

    /// Whether one is still being led to where one reads.
    pub fn is_landing(self) -> bool {
        self.landing.get_value() == Some(self.journey.get_value())
    }
}

fn timeline() -> Option<HtmlElement> {
    element("#timeline")
}

/// One's own words are always in view. The scroller is turned round: its end is at 0.
pub fn scroll_to_end() {
    if let Some(timeline) = timeline() {
        timeline.set_scroll_top(0);
    }
}

/// Shows the first message that is here; says whether there is one.
pub fn go_to_first() -> bool {
    element("#chunks .message").map(|first| bring(first.into())).is_some()
}

/// Scrolls by a page, up or down, of which a part stays in sight.
pub fn turn_page(pages: f64) -> bool {
    let by = |timeline: &HtmlElement| (pages * 0.875 * f64::from(timeline.client_height())) as i32;
    timeline().inspect(|timeline| timeline.set_scroll_top(timeline.scroll_top() + by(timeline))).is_some()
}

/// Where the unread messages begin; without any, the end.
pub fn show_unread() {
    match document().get_element_by_id("unread") {
        Some(line) => bring(line),
        None => scroll_to_end(),
    }
}

/// From the end of the conversation the keyboard goes on where one writes.
pub fn leave_button() {
    if !composer::take_focus()
        && let Some(timeline) = timeline()
    {
        focus_quietly(&timeline);
    }
}

/// After a journey inside the page the keyboard starts where one writes, or at what is new, unless a field has taken it.
fn take_focus() {
    window().scroll_to_with_x_and_y(0.0, 0.0);
    if element(":is(input, textarea):focus").is_none()
        && !composer::take_focus()
        && let Some(main) = element(MAIN)
    {
        focus_quietly(&main);
    }
}

/// The room that an address leads to.
#[must_use]
pub fn room_of(address: &str) -> Option<RoomId> {
    address.strip_prefix("/rooms/")?.parse().ok()
}

/// The message that the address names.
#[must_use]
pub fn named() -> Option<Seq> {
    window().location().hash().ok()?.strip_prefix("#m-")?.parse().ok()
}

/// Shows the message at that place, if it is here, and says whether it is.
pub fn show(seq: Seq) -> bool {
    let Some(message) = document().get_element_by_id(&format!("m-{seq}")) else { return false };
    // Taken away first, so that it begins again.
    let classes = message.class_list();
    let _ = classes.remove_1("message-shown");
    request_animation_frame(move || drop(classes.add_1("message-shown")));
    bring(message);
    true
}

/// Scrolls to it, and once more a frame later: what is near then has its real height.
fn bring(line: Element) {
    line.scroll_into_view();
    request_animation_frame(move || line.scroll_into_view());
}

/// Gives the focus to the message before or after the one that has it, by its button; to the last without one.
pub fn step(here: Option<&Element>, down: bool) -> bool {
    let buttons = elements("#chunks [data-do=menu]");
    let at = here.and_then(|here| buttons.iter().position(|button| **button == *here));
    let next = match at {
        Some(at) if down => buttons.get(at + 1),
        Some(at) => at.checked_sub(1).and_then(|before| buttons.get(before)),
        None => buttons.last(),
    };
    next.map(|button| button.focus()).is_some()
}

/// Lets the browser keep the page for offline hours, and offer to install it; where it can.
pub fn install() {
    let workers = window().navigator().service_worker();
    // Not on plain http, except from this machine.
    if !workers.is_undefined() {
        let registered = wasm_bindgen_futures::JsFuture::from(workers.register("/sw.js"));
        // A server that has gone in this moment is no fault of the page: the next page tries again.
        leptos::task::spawn_local(async move { drop(registered.await) });
    }
}

/// Whether a click is an ordinary one: others open tabs and windows and stay the browser's.
#[must_use]
pub fn is_plain_click(click: &web_sys::MouseEvent) -> bool {
    click.button() == 0 && !(click.ctrl_key() || click.meta_key() || click.shift_key() || click.alt_key())
}

fn replace_address(address: &str) {
    if let Ok(history) = window().history() {
        let _ = history.replace_state_with_url(&wasm_bindgen::JsValue::NULL, "", Some(address));
    }
}

fn push_address(address: &str) {
    if let Ok(history) = window().history() {
        let _ = history.push_state_with_url(&wasm_bindgen::JsValue::NULL, "", Some(address));
    }
}

/// Loads a page the ordinary way, for whatever cannot be shown here.
fn leave_for(address: &str) {
    let _ = window().location().set_href(address);
}

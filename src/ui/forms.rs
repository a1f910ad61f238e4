//! The plain forms whose first field may be refused, sent without leaving the page: the refusal stands
//! beside the field, what was typed stays in it, and a second click is not a second wish.

use super::{
    dom::{inside, target},
    listen::listen,
    storage,
    text::Text,
    wire,
};
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement, HtmlInputElement};

/// Set while a form is under way.
const BUSY: &str = "aria-busy";

/// Takes the forms over.
pub fn start(text: &'static Text) {
    // After the composer has said that it handles its own.
    listen("submit", move |submit| {
        let Some(form) = target(&submit).filter(|_| !submit.default_prevented()) else { return };
        if form.get_attribute("action").as_deref() == Some("/api/sign_out") {
            // Nobody could send it any more, and the next one here could read it.
            storage::forget_all();
        }
        let field = inside(&form, "input:not([type=hidden])").and_then(|field| field.dyn_into().ok());
        let refusal = inside(&form, ".field-error");
        let (Some(field), Some(refusal)) = (field, refusal) else { return };
        submit.prevent_default();
        if !form.has_attribute(BUSY) {
            let _ = form.set_attribute(BUSY, "true");
            leptos::task::spawn_local(send(form, field, refusal, text));
        }
    });
}

/// Says in the refusal of that id why something was refused; with no words it was not.
pub fn refuse(id: &str, words: &str) {
    let Some(refusal) = document().get_element_by_id(id) else { return };
    let _ = if words.is_empty() { refusal.set_attribute("hidden", "") } else { refusal.remove_attribute("hidden") };
    if let Some(element) = refusal.last_element_child() {
        element.set_text_content(Some(words));
    }
}

async fn send(form: Element, field: HtmlInputElement, refusal: Element, text: &'static Text) {
    let path = form.get_attribute("action").unwrap_or_default();
    let location = window().location();
    match wire::post_form(&path, &form).await {
        Ok(Some(next)) => drop(location.set_href(&next)),
        Ok(None) => drop(location.reload()),
        Err(code) => {
            let _ = form.remove_attribute(BUSY);
            let _ = field.set_attribute("aria-invalid", "true");
            refuse(&refusal.id(), &(text.error)(&code));
            let _ = field.unchecked_into::<HtmlElement>().focus();
            // In a low window the reason may be further down than the field.
            let height = window().inner_height().ok().and_then(|height| height.as_f64()).unwrap_or_default();
            if refusal.get_bounding_client_rect().bottom() > height {
                refusal.scroll_into_view_with_bool(false);
            }
        }
    }
}

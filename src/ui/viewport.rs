//! Where the keyboard on the screen lies over the page instead of making it smaller (iOS), the page is made as high as
//! what is seen of it.

use js_sys::Reflect;
use leptos::prelude::{document, window};
use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use web_sys::{EventTarget, HtmlElement};

/// The style's name for that height; not set while all of the page is seen.
const SEEN: &str = "--seen";

/// Watches, in the browser.
pub fn start() {
    let Ok(viewport) = Reflect::get(&window(), &JsValue::from_str("visualViewport")) else { return };
    let Ok(target) = viewport.clone().dyn_into::<EventTarget>() else { return };
    let listener = Closure::wrap(Box::new(move || fit(&viewport)) as Box<dyn Fn()>);
    let _ = target.add_event_listener_with_callback("resize", listener.as_ref().unchecked_ref());
    listener.forget();
}

fn fit(viewport: &JsValue) {
    let number = |object: &JsValue, name: &str| {
        Reflect::get(object, &JsValue::from_str(name)).ok().and_then(|value| value.as_f64()).unwrap_or_default()
    };
    let (height, whole) = (number(viewport, "height"), number(&window(), "innerHeight"));
    let root = document().document_element().and_then(|root| root.dyn_into::<HtmlElement>().ok());
    let Some(style) = root.map(|root| root.style()) else { return };
    // Somebody who zooms in with two fingers sees less of it too, and means to.
    if number(viewport, "scale") > 1.0 || whole - height < 1.0 {
        let _ = style.remove_property(SEEN);
    } else {
        let _ = style.set_property(SEEN, &format!("{}px", height as u32));
        window().scroll_to_with_x_and_y(0.0, 0.0);
    }
}

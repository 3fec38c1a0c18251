//! A page of the browser, used as a person uses it: by keys and the mouse.
//!
//! A selector is one of CSS, or `css:text(words)` for the first visible element with these words.

use std::{panic::Location, path::Path, time::Duration};

use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::chrome::Chrome;

const TIMEOUT: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(15);

const SHIFT: u8 = 8;

pub struct Page {
    chrome: &'static Chrome,
    /// A context has its own cookies and storage.
    context: String,
    session: String,
}

impl Drop for Page {
    fn drop(&mut self) {
        drop(self.chrome.send(
            None,
            "Target.disposeBrowserContext",
            json!({ "browserContextId": self.context }),
        ));
    }
}

impl Page {
    /// An empty page, 1280 px wide, with cookies of its own.
    pub async fn new() -> Self {
        let chrome = Chrome::shared();
        let call = async |method: &str, params: Value| chrome.call(None, method, params).await.unwrap();
        let context = call("Target.createBrowserContext", json!({})).await;
        let context = context["browserContextId"].as_str().unwrap().to_owned();
        let target = call(
            "Target.createTarget",
            json!({ "url": "about:blank", "browserContextId": context }),
        )
        .await;
        let attach = json!({ "targetId": target["targetId"], "flatten": true });
        let session = call("Target.attachToTarget", attach).await;
        let page = Self {
            chrome,
            context,
            session: session["sessionId"].as_str().unwrap().to_owned(),
        };
        page.call("Page.enable", json!({})).await;
        page.call("Runtime.enable", json!({})).await;
        // Every test takes itself for the one in front.
        page.call("Emulation.setFocusEmulationEnabled", json!({ "enabled": true }))
            .await;
        page.resize(1280, 900).await;
        page
    }

    pub async fn call(&self, method: &str, params: Value) -> Value {
        match self.chrome.call(Some(&self.session), method, params).await {
            Ok(result) => result,
            Err(error) => panic!("{method}: {error}"),
        }
    }

    pub async fn resize(&self, width: u32, height: u32) {
        let size = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        self.call("Emulation.setDeviceMetricsOverride", size).await;
    }

    /// `light` or `dark`.
    pub async fn set_scheme(&self, scheme: &str) {
        let feature = json!({ "name": "prefers-color-scheme", "value": scheme });
        self.call("Emulation.setEmulatedMedia", json!({ "features": [feature] }))
            .await;
    }

    /// Whether the page's own scripts run.
    pub async fn allow_scripts(&self, allowed: bool) {
        let disabled = json!({ "value": !allowed });
        self.call("Emulation.setScriptExecutionDisabled", disabled).await;
    }

    /// Writes a picture of what is on the screen.
    pub async fn shoot(&self, name: &str) {
        let Some(place) = crate::chrome::shots() else {
            return;
        };
        let shot = self
            .call("Page.captureScreenshot", json!({ "format": "png" }))
            .await;
        let bytes = base64::Engine::decode(
            &base64::engine::general_purpose::STANDARD,
            shot["data"].as_str().unwrap(),
        );
        std::fs::write(place.join(format!("{name}.png")), bytes.unwrap()).unwrap();
    }

    /// Evaluates an expression; a promise is awaited.
    async fn try_eval(&self, script: &str) -> Result<Value, String> {
        let params = json!({ "expression": script, "returnByValue": true, "awaitPromise": true });
        let mut result = self
            .chrome
            .call(Some(&self.session), "Runtime.evaluate", params)
            .await?;
        match result.get("exceptionDetails") {
            Some(details) => Err(details["exception"]["description"]
                .as_str()
                .unwrap_or_default()
                .to_owned()),
            None => Ok(result["result"]["value"].take()),
        }
    }

    pub async fn eval<T: DeserializeOwned>(&self, script: &str) -> T {
        let value = self.try_eval(script).await;
        let value = value.unwrap_or_else(|error| panic!("{script}: {error}"));
        serde_json::from_value(value).unwrap_or_else(|error| panic!("{script}: {error}"))
    }

    /// Waits until a condition is true. Panics with what the page shows.
    #[track_caller]
    pub fn wait(&self, condition: impl Into<String>) -> impl Future<Output = ()> {
        let condition = condition.into();
        self.wait_for(format!("Boolean({condition})"), Location::caller())
    }

    /// Waits until another page of the screen has these words.
    #[track_caller]
    pub fn wait_for_page(&self, path: &str, words: &str) -> impl Future<Output = ()> {
        let (path, words) = (json!(path), json!(words));
        self.wait_for(
            format!("fetch({path}).then((page) => page.text()).then((text) => text.includes({words}))"),
            Location::caller(),
        )
    }

    async fn wait_for(&self, script: String, caller: &'static Location<'static>) {
        let begin = Instant::now();
        loop {
            let state = self.try_eval(&script).await;
            if state == Ok(json!(true)) {
                return;
            }
            if begin.elapsed() > TIMEOUT {
                let shown = "location.href + '\\n' + document.body.innerText";
                let shown = self.try_eval(shown).await.unwrap_or_default();
                panic!(
                    "{caller}: timed out waiting for {script} ({state:?}); the page shows:\n{}",
                    shown.as_str().unwrap_or_default()
                );
            }
            sleep(POLL).await;
        }
    }

    /// Opens an address and waits until it is loaded.
    pub async fn goto(&self, url: &str) {
        self.leave(async {
            let result = self.call("Page.navigate", json!({ "url": url })).await;
            assert!(result["errorText"].is_null(), "{url}: {result}");
        })
        .await;
    }

    /// Does something that leads to another document, and waits until that is loaded.
    pub async fn leave(&self, action: impl Future<Output = ()>) {
        let _: Value = self.eval("void (window.isLeft = true)").await;
        action.await;
        self.wait("!window.isLeft && document.readyState === 'complete'")
            .await;
    }

    /// Follows a link or submits a form by the mouse.
    pub async fn follow(&self, selector: &str) {
        self.leave(self.click(selector)).await;
    }

    pub async fn click(&self, selector: &str) {
        self.click_with(selector, 0).await;
    }

    pub async fn shift_click(&self, selector: &str) {
        self.click_with(selector, SHIFT).await;
    }

    async fn click_with(&self, selector: &str, modifiers: u8) {
        let element = element(selector);
        self.wait(format!("{element}?.getClientRects().length")).await;
        let script = format!(
            "(() => {{
                const target = {element};
                target.scrollIntoView({{ block: 'center', behavior: 'instant' }});
                const box = target.getClientRects()[0];
                const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
                const hit = document.elementFromPoint(x, y);
                const label = hit?.closest('label')?.control;
                const isHit = hit && (target.contains(hit) || hit.contains(target) || label === target);
                return {{ x, y, covers: isHit ? '' : hit ? hit.outerHTML.slice(0, 200) : 'nothing' }};
            }})()"
        );
        let at: Value = self.eval(&script).await;
        assert_eq!(at["covers"], "", "{selector} is covered");
        for kind in ["mouseMoved", "mousePressed", "mouseReleased"] {
            let button = if kind == "mouseMoved" { "none" } else { "left" };
            let event = json!({ "type": kind, "x": at["x"], "y": at["y"], "button": button, "clickCount": 1,
                "modifiers": modifiers });
            self.call("Input.dispatchMouseEvent", event).await;
        }
    }

    /// Presses keys one after the other: characters, or names as `Enter` and `Shift+Tab`.
    pub async fn press(&self, keys: &[&str]) {
        for key in keys {
            let (key, modifiers) = match key.strip_prefix("Shift+") {
                Some(key) => (key, SHIFT),
                None => (*key, 0),
            };
            let (code, number, text) = match key {
                "Enter" => ("Enter".to_owned(), 13, "\r"),
                "Tab" => ("Tab".to_owned(), 9, ""),
                "Escape" => ("Escape".to_owned(), 27, ""),
                "ArrowDown" => ("ArrowDown".to_owned(), 40, ""),
                "ArrowUp" => ("ArrowUp".to_owned(), 38, ""),
                " " => ("Space".to_owned(), 32, " "),
                "/" | "?" => ("Slash".to_owned(), 191, key),
                key => {
                    let character = key.chars().next().unwrap().to_ascii_uppercase();
                    let kind = if character.is_ascii_digit() {
                        "Digit"
                    } else {
                        "Key"
                    };
                    (format!("{kind}{character}"), u32::from(character), key)
                }
            };
            let event = json!({ "key": key, "code": code, "windowsVirtualKeyCode": number,
                "modifiers": if key == "?" { SHIFT } else { modifiers } });
            let mut down = event.clone();
            down["type"] = json!(if text.is_empty() { "rawKeyDown" } else { "keyDown" });
            down["text"] = json!(text);
            let mut up = event;
            up["type"] = json!("keyUp");
            self.call("Input.dispatchKeyEvent", down).await;
            self.call("Input.dispatchKeyEvent", up).await;
        }
    }

    /// Writes into the field that has the focus.
    pub async fn write(&self, text: &str) {
        self.call("Input.insertText", json!({ "text": text })).await;
    }

    /// Writes into a field instead of what it holds.
    pub async fn fill(&self, selector: &str, text: &str) {
        self.click(selector).await;
        let _: Value = self.eval(&format!("void {}.select()", element(selector))).await;
        self.write(text).await;
    }

    /// Chooses a file in a file field.
    pub async fn choose_file(&self, selector: &str, path: &Path) {
        let params = json!({ "expression": element(selector) });
        let object = self.call("Runtime.evaluate", params).await;
        let id = &object["result"]["objectId"];
        self.call(
            "DOM.setFileInputFiles",
            json!({ "files": [path], "objectId": id }),
        )
        .await;
    }

    /// The text of an element, with single blanks.
    pub async fn text(&self, selector: &str) -> String {
        let element = element(selector);
        self.wait(&element).await;
        self.eval(&format!("{element}.textContent.replace(/\\s+/g, ' ').trim()"))
            .await
    }

    /// The texts of all elements.
    pub async fn texts(&self, css: &str) -> Vec<String> {
        self.eval(&format!(
            "[...document.querySelectorAll({})].map((one) => one.textContent.replace(/\\s+/g, ' ').trim())",
            json!(css)
        ))
        .await
    }

    pub async fn count(&self, css: &str) -> usize {
        self.eval(&format!("document.querySelectorAll({}).length", json!(css)))
            .await
    }

    pub async fn has(&self, selector: &str) -> bool {
        self.eval(&format!("Boolean({})", element(selector))).await
    }

    /// Waits until an element has these words.
    #[track_caller]
    pub fn wait_for_text(&self, selector: &str, words: &str) -> impl Future<Output = ()> {
        let element = element(selector);
        let words = json!(words);
        self.wait(format!(
            "{element}?.textContent.replace(/\\s+/g, ' ').includes({words})"
        ))
    }

    /// Waits until the status line says this.
    #[track_caller]
    pub fn wait_for_notice(&self, words: &str) -> impl Future<Output = ()> {
        self.wait_for_text("#announce", words)
    }

    /// Waits until the row of this person is the open one.
    #[track_caller]
    pub fn wait_until_open(&self, okta_user_id: &str) -> impl Future<Output = ()> {
        self.wait(format!(
            "document.querySelector('.is-current')?.id === 'r-{okta_user_id}'"
        ))
    }

    #[track_caller]
    pub fn wait_until_row_is_open(&self, id: &str) -> impl Future<Output = ()> {
        self.wait(format!("document.querySelector('.is-current')?.id === '{id}'"))
    }

    /// Asserts that no script failed, and that nothing is cut off at the right.
    pub async fn assert_sound(&self) {
        self.assert_no_failures();
        assert_eq!(self.beyond_the_edge().await, "", "the page scrolls sideways");
    }

    pub fn assert_no_failures(&self) {
        let failures = self.chrome.failures(&self.session);
        assert!(failures.is_empty(), "{failures:?}");
    }

    /// What sticks out at the right; empty if nothing does.
    pub async fn beyond_the_edge(&self) -> String {
        self.eval(BEYOND_THE_EDGE).await
    }
}

const BEYOND_THE_EDGE: &str = "(() => {
    const { scrollWidth, clientWidth } = document.documentElement;
    if (scrollWidth <= clientWidth) return '';
    const all = [...document.body.querySelectorAll('*')];
    const beyond = all.filter((one) => one.getBoundingClientRect().right > clientWidth + 1);
    return `${scrollWidth} > ${clientWidth} at ${location.href}: ${beyond.at(-1)?.outerHTML.slice(0, 300)}`;
})()";

/// An expression for the element of a selector.
pub fn element(selector: &str) -> String {
    match selector.split_once(":text(") {
        None => format!("document.querySelector({})", json!(selector)),
        Some((css, words)) => format!(
            "[...document.querySelectorAll({})].find((one) => one.getClientRects().length && \
             one.textContent.replace(/\\s+/g, ' ').includes({}))",
            json!(css),
            json!(words.strip_suffix(')').unwrap())
        ),
    }
}
